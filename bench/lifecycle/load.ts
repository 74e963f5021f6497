/** One round of the lifecycle: so many jobs, so many of them at once. */
export interface Load {
  jobs: number;
  concurrency: number;
}
