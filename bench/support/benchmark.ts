/** One file `NAME.bench.ts` exports one as its default; `npm run bench -- NAME` runs it. */
export interface Benchmark {
  /** The heading of its section in the results. */
  title: string;
  /** Measures, and answers the section's Markdown and what was promised. */
  run(): Promise<Findings>;
}

export interface Findings {
  /** What was compared, how, and what came out. */
  markdown: string;
  promises: readonly Promised[];
}

/** One number that the service promises to keep. */
export interface Promised {
  /** Like `lifecycle at concurrency 3, of DBOS`. */
  what: string;
  value: number;
  /** At least or at most this. */
  limit: { atLeast: number } | { atMost: number };
}

export function isKept({ value, limit }: Promised): boolean {
  return 'atLeast' in limit ? value >= limit.atLeast : value <= limit.atMost;
}
