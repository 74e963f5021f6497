import type { Claim } from '../../../machines/protocol.ts';
import type { Database, Transaction } from '../../database/database.orm.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Fence } from '../job/ports.ts';

/** Checks fencing tokens as the last statement of an effect: if a job row has another claim epoch, nothing is written. */
export function fenceStore(database: Database): Fence {
  const guarded = async (claims: readonly Claim[], text: string, on: Transaction) => {
    const ids = claims.map(({ jobId }) => jobId);
    const epochs = claims.map(({ epoch }) => epoch);
    const rows = await database.sql<{ id: string }>(text, [ids, epochs], { on, prepared: true });
    const passed = new Set(rows.map(({ id }) => id));
    const refused = claims.find(({ jobId }) => !passed.has(jobId));
    if (refused) throw await refusal(refused, on);
  };
  const refusal = async ({ jobId, epoch }: Claim, on: Transaction) => {
    const [mine] = await database.sql(
      'select 1 from onboarding_jobs where id = $1 and claim_epoch = $2',
      [jobId, epoch],
      { on },
    );
    return mine
      ? new AppError('job_cancelled', 'Cancellation of this job was requested.', { details: { jobId } })
      : new AppError('claim_lost', 'Another node has claimed this job.', { details: { jobId } });
  };
  return {
    check: (claims, { on }) => guarded(claims, `${mineSql} order by j.id for share of j`, on),
    passPointOfNoReturn: (claims, { on }) => guarded(claims, passSql, on),
    async pin(claim, key, value, { on }) {
      const [row] = await database.sql<{ value: string }>(
        `update onboarding_jobs set results = jsonb_build_object($3::text, $4::text) || results
         where id = $1 and claim_epoch = $2 returning results ->> $3 as value`,
        [claim.jobId, claim.epoch, key, value],
        { on },
      );
      if (!row) throw await refusal(claim, on);
      return row.value;
    },
  };
}

const mineSql = `
  select j.id from onboarding_jobs j join unnest($1::uuid[], $2::int[]) as claim(id, epoch)
    on claim.id = j.id and claim.epoch = j.claim_epoch
  where j.id = any($1::uuid[])`;

const passSql = `
  with mine as materialized (
    ${mineSql} and j.cancel_requested_at is null order by j.id for no key update of j
  )
  update onboarding_jobs j set universe_committed_at = coalesce(j.universe_committed_at, clock_timestamp())
  from mine where j.id = mine.id returning j.id`;
