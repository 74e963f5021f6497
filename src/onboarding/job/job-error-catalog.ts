interface JobErrorEntry {
  /** What happened to the symbol, without a full stop. */
  title: string;
  /** What its user or an operator can do: whole sentences. */
  cure: string;
}

const waitAndRetry = 'Retry the job once the provider answers again.';

/** Every code that a job's error may carry: what ended it, or what it backs off from. Codes are stable. */
export const jobErrorCatalogue = {
  symbol_not_found: {
    title: 'The provider does not know the symbol',
    cure: 'Check how it is written, upload the corrected portfolio.',
  },
  no_price_data: {
    title: 'There are no prices',
    cure: 'Nothing can be measured of it yet. Onboard it again once it has traded for two days.',
  },
  delisted: {
    title: 'The symbol is no longer traded',
    cure: 'The message has its last close. Close the lot, or hold it as PRIVATE with a price of your own.',
  },
  unusable_data: {
    title: 'The prices cannot be used',
    cure: 'The message says what is wrong with them. Retry the job once the provider has mended it.',
  },
  provider_timeout: { title: 'The provider did not answer in time', cure: waitAndRetry },
  provider_unavailable: { title: 'The provider failed', cure: waitAndRetry },
  provider_throttled: {
    title: 'The provider asked to wait, longer than a job may',
    cure: `${waitAndRetry} Fewer requests at once (PROVIDER_CONCURRENCY, PROVIDER_INTERVAL_MS) help.`,
  },
  provider_paused: {
    title: 'The provider failed so often that it is left alone for a while',
    cure: `The job asks again by itself, as long as it may wait. ${waitAndRetry}`,
  },
  provider_busy: {
    title: 'Too many requests wait for the provider',
    cure: 'The job asks again by itself. More requests at once (PROVIDER_CONCURRENCY) help where the provider allows.',
  },
  database_unavailable: {
    title: 'Our database did not answer',
    cure: 'The job waits for it by itself. See /health/ready.',
  },
  database_conflict: {
    title: 'Two transactions were in each other’s way',
    cure: 'The job tries again by itself.',
  },
  calculation_failed: {
    title: 'The factors could not be calculated',
    cure: 'Labelled defaults stand in for them. Retry the job to measure them anew.',
  },
  resume_limit_exceeded: {
    title: 'The job took its process down again and again',
    cure: 'See the logs of its nodes, then retry it; RESUME_LIMIT is how often it may.',
  },
  job_crashed: {
    title: 'The job stopped because of a mistake of ours',
    cure: 'Retry it. The log of its node tells more.',
  },
  internal_error: {
    title: 'An unexpected error stopped the job',
    cure: 'Retry it. The log of its node tells more.',
  },
} as const satisfies Record<string, JobErrorEntry>;
