import type { Claim } from '../../../machines/protocol.ts';
import type { Database, Transaction } from '../../database/database.orm.ts';
import { notifyWork } from '../journal/journal.store.ts';
import type { CeilingOptions } from './cluster-ceiling.ts';

export interface CeilingStore {
  permits: CeilingOptions['permits'];
  /** Creates the permits up to the ceiling. Nodes may have different ceilings: each takes permits up to its own. */
  open(): Promise<void>;
  /** The number of permits that running jobs hold in the whole cluster. */
  inUse(): Promise<number>;
}

/**
 * Limits concurrency over all nodes with one row per permit, so there are never more than `ceiling` permits.
 *
 * A permit is valid as long as the claim that it belongs to. Once another node has taken over the claim, the claim is
 * released or settled, or its lease has expired, the next node that looks for a permit frees it. So a crashed node
 * cannot leak a permit.
 */
export function ceilingStore(database: Database, { ceiling }: { ceiling: number }): CeilingStore {
  return {
    permits: {
      take: (claims) => database.transaction((on) => take(database, ceiling, claims, on)),
      free: (claims) => database.transaction((on) => free(database, claims, on)),
    },
    async open() {
      await database.sql(
        'insert into cluster_permits (id) select n from generate_series(1, $1::int) as n on conflict do nothing',
        [ceiling],
      );
    },
    async inUse() {
      const [row] = await database.sql<{ n: number }>(
        `select count(*)::int as n from cluster_permits p where p.job_id is not null and ${isValid}`,
      );
      return row!.n;
    },
  };
}

// `offset 0` makes each permit find its job by key. Joined, the planner may read the whole table of jobs.
const isValid = `exists (
  select from onboarding_jobs j
  join pgboss.job q on q.name = 'symbol-onboarding' and q.id = j.queue_entry and q.state = 'active'
  where j.id = p.job_id and j.claim_epoch = p.claim_epoch and j.node is not null
  offset 0)`;

async function take(
  database: Database,
  ceiling: number,
  claims: readonly Claim[],
  on: Transaction,
): Promise<Claim[]> {
  const asked = JSON.stringify(claims.map(({ jobId, epoch }) => ({ id: jobId, epoch })));
  // Job rows are locked before permits, with shared locks: until the commit no other node can take over these jobs.
  const holding = await database.sql<{ id: string }>(holdingSql, [asked], { on });
  await database.sql(freeStaleSql, [], { on });
  const ids = holding.map(({ id }) => id);
  const taken = await database.sql<{ job_id: string }>(takeSql, [asked, ids, ceiling], { on });
  const granted = new Set(taken.map(({ job_id }) => job_id));
  return claims.filter(({ jobId }) => granted.has(jobId));
}

const asked = 'jsonb_to_recordset($1::jsonb) as asked(id uuid, epoch int)';

const holdingSql = `
  select j.id from onboarding_jobs j join ${asked} on j.id = asked.id and j.claim_epoch = asked.epoch
  where j.node is not null order by j.id for share of j`;

// No FOR UPDATE in the subquery: a permit that another claim has got meanwhile must be compared with its old claim, so
// that it is skipped.
const freeStaleSql = `
  with stale as materialized (
    select p.id, p.job_id, p.claim_epoch from cluster_permits p where p.job_id is not null and not ${isValid}
    order by p.id
  )
  update cluster_permits p set job_id = null, claim_epoch = null from stale
  where p.id = stale.id and p.job_id = stale.job_id and p.claim_epoch = stale.claim_epoch`;

// If the answer to an earlier commit was lost, some claims may have a permit already.
const takeSql = `
  with valid as (
    select asked.id, asked.epoch from ${asked} where asked.id = any($2::uuid[])
  ), had as (
    select p.job_id from cluster_permits p join valid v on v.id = p.job_id and v.epoch = p.claim_epoch
  ), missing as (
    select v.*, row_number() over (order by v.id) as n from valid v where v.id not in (select job_id from had)
  ), free as materialized (
    select id from cluster_permits where job_id is null and id <= $3::int
    order by id limit (select count(*) from missing) for update skip locked
  ), numbered as (
    select id, row_number() over (order by id) as n from free
  ), taken as (
    update cluster_permits p set job_id = m.id, claim_epoch = m.epoch
    from numbered f join missing m on m.n = f.n where p.id = f.id returning p.job_id
  )
  select job_id from had union all select job_id from taken`;

async function free(database: Database, claims: readonly Claim[], on: Transaction): Promise<void> {
  const freed = await database.sql(
    `update cluster_permits p set job_id = null, claim_epoch = null
     from ${asked} where p.job_id = asked.id and p.claim_epoch = asked.epoch returning p.id`,
    [JSON.stringify(claims.map(({ jobId, epoch }) => ({ id: jobId, epoch })))],
    { on },
  );
  if (freed.length > 0) await notifyWork(database, on);
}
