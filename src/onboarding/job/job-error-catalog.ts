interface JobErrorEntry {
  /** What happened, without a full stop. */
  title: string;
  /** How to fix it, for a user or an operator, in whole sentences. */
  cure: string;
}

const waitAndRetry = 'Retry the job when the provider works again.';

/** Every code in a job's error: the reason why it failed, or why it backs off. Codes are stable. */
export const jobErrorCatalogue = {
  symbol_not_found: {
    title: 'The provider does not know the symbol',
    cure: 'Check the spelling of the symbol and upload the corrected portfolio.',
  },
  no_price_data: {
    title: 'The provider has no prices for the symbol',
    cure: 'Onboard the symbol again after it has traded for two days; factors cannot be measured earlier.',
  },
  delisted: {
    title: 'The symbol is no longer traded',
    cure: 'The message has the last close. Close the lot, or hold it as PRIVATE with your own price.',
  },
  unusable_data: {
    title: 'The prices cannot be used',
    cure: 'The message says what is wrong. Retry the job when the provider has corrected its data.',
  },
  provider_timeout: { title: 'The provider did not answer in time', cure: waitAndRetry },
  provider_unavailable: { title: 'The provider failed', cure: waitAndRetry },
  provider_throttled: {
    title: 'The provider asked for a longer wait than a job allows',
    cure: `${waitAndRetry} To send fewer requests, lower PROVIDER_CONCURRENCY or raise PROVIDER_INTERVAL_MS.`,
  },
  provider_paused: {
    title: 'The provider failed repeatedly, so requests to it are paused',
    cure: `The job retries automatically until its waiting time is used up. ${waitAndRetry}`,
  },
  provider_busy: {
    title: 'Too many requests wait for the provider',
    cure: 'The job retries automatically. If the provider allows more requests at once, raise PROVIDER_CONCURRENCY.',
  },
  database_unavailable: {
    title: 'The database of the service did not answer',
    cure: 'The job continues automatically when the database answers. See /health/ready.',
  },
  database_conflict: {
    title: 'Two database transactions conflicted',
    cure: 'The job retries automatically.',
  },
  calculation_failed: {
    title: 'The factors could not be calculated',
    cure: 'Default exposures, labelled as such, are used instead. Retry the job to measure the factors again.',
  },
  resume_limit_exceeded: {
    title: 'The job was interrupted too often, probably because it crashes its process',
    cure: 'Check the logs of its nodes, then retry the job. RESUME_LIMIT is the number of interruptions that a job may have.',
  },
  job_crashed: {
    title: 'A bug in the service stopped the job',
    cure: 'Retry the job. The log of its node has the details.',
  },
  internal_error: {
    title: 'An unexpected error stopped the job',
    cure: 'Retry the job. The log of its node has the details.',
  },
} as const satisfies Record<string, JobErrorEntry>;
