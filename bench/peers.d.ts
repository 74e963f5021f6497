// The part of the peers that the benchmarks use. Declared here, so that the types hold where they are not installed.

declare module '@dbos-inc/dbos-sdk' {
  export const DBOS: {
    setConfig(config: {
      name: string;
      systemDatabaseUrl: string;
      systemDatabasePoolSize?: number;
      logLevel?: string;
      enableOTLP?: boolean;
    }): void;
    launch(): Promise<void>;
    shutdown(): Promise<void>;
    registerWorkflow<Input extends unknown[], Output>(
      work: (...input: Input) => Promise<Output>,
      options: { name: string },
    ): (...input: Input) => Promise<Output>;
    startWorkflow<Input extends unknown[], Output>(
      workflow: (...input: Input) => Promise<Output>,
    ): (...input: Input) => Promise<{ getResult(): Promise<Output> }>;
    runStep<Output>(work: () => Promise<Output>, options: { name: string }): Promise<Output>;
  };
}

declare module 'autocannon' {
  interface Result {
    requests: { average: number; mean: number; total: number };
    latency: { p50: number; p99: number; max: number };
    non2xx: number;
    errors: number;
    duration: number;
  }
  function autocannon(options: {
    url: string;
    connections?: number;
    pipelining?: number;
    /** Seconds. */
    duration?: number;
    amount?: number;
    headers?: Record<string, string>;
  }): Promise<Result>;
  export default autocannon;
}
