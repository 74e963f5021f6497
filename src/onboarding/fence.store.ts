import type { Claim } from '../../machines/protocol.ts';
import type { Database, Transaction } from '../database.ts';
import { AppError } from '../errors.ts';
import type { Fence } from './ports.ts';

/** The last statement of every effect: a job row that still carries the claim's epoch, or nothing is written. */
export function fenceStore(database: Database): Fence {
  const guarded = async (claim: Claim, text: string, parameters: unknown[], on: Transaction) => {
    const rows = await database.sql<{ value: string | null }>(
      text,
      [claim.jobId, claim.epoch, ...parameters],
      { on },
    );
    if (rows[0]) return rows[0].value;
    throw await refusal(claim, on);
  };
  const refusal = async ({ jobId, epoch }: Claim, on: Transaction) => {
    const [mine] = await database.sql(
      'select 1 from onboarding_jobs where id = $1 and claim_epoch = $2',
      [jobId, epoch],
      { on },
    );
    return mine
      ? new AppError('job_cancelled', 'This job is to be cancelled.', { details: { jobId } })
      : new AppError('claim_lost', 'Another claim of this job has begun.', { details: { jobId } });
  };
  return {
    async check(claim, { on }) {
      await guarded(
        claim,
        'select null as value from onboarding_jobs where id = $1 and claim_epoch = $2 for share',
        [],
        on,
      );
    },
    async passPointOfNoReturn(claim, { on }) {
      await guarded(
        claim,
        `update onboarding_jobs set universe_committed_at = coalesce(universe_committed_at, clock_timestamp())
         where id = $1 and claim_epoch = $2 and cancel_requested_at is null returning null as value`,
        [],
        on,
      );
    },
    async pin(claim, key, value, { on }) {
      const pinned = await guarded(
        claim,
        `update onboarding_jobs set results = jsonb_build_object($3::text, $4::text) || results
         where id = $1 and claim_epoch = $2 returning results ->> $3 as value`,
        [key, value],
        on,
      );
      return pinned ?? value;
    },
  };
}
