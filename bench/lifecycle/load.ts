/** One round of the lifecycle: so many jobs, so many of them at once. */
export interface Load {
  jobs: number;
  concurrency: number;
  /** Jobs claimed ahead. */
  prefetch: number;
  /** Whether each phase waits until the transition that began it is durable, or only those that do in the service. */
  everyPhaseWaits?: boolean;
  /** How many inspect the live actors. */
  viewers?: number;
  /** What a round answers: milliseconds of the clock, or of this thread's processor. */
  unit?: 'clock' | 'cpu';
}
