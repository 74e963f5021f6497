import type { Claim } from '../../../machines/protocol.ts';
import type { Database, Transaction } from '../../database/database.orm.ts';
import { notifyWork } from '../journal/journal.store.ts';
import type { CeilingOptions } from './cluster-ceiling.ts';

export interface CeilingStore {
  permits: CeilingOptions['permits'];
  /** Makes the permits that the ceiling allows. Nodes may start with different ceilings: each takes below its own. */
  open(): Promise<void>;
  /** Permits that a running job holds, over the cluster. */
  inUse(): Promise<number>;
}

/**
 * A ceiling over all nodes: one row per permit, so there are never more than `ceiling` of them.
 *
 * A permit belongs to a claim and is worth as much: once the claim is another's, given back, settled, or its lease has
 * lapsed, so that others may take the job over, whoever looks for a permit next frees it. So nothing that a node
 * forgets, by dying for example, keeps one for ever.
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

const isValid = `exists (
  select from onboarding_jobs j
  join pgboss.job q on q.name = 'symbol-onboarding' and q.id = j.queue_entry and q.state = 'active'
  where j.id = p.job_id and j.claim_epoch = p.claim_epoch and j.node is not null)`;

async function take(
  database: Database,
  ceiling: number,
  claims: readonly Claim[],
  on: Transaction,
): Promise<Claim[]> {
  const asked = JSON.stringify(claims.map(({ jobId, epoch }) => ({ id: jobId, epoch })));
  // Job rows before permits, and shared: until this is committed nobody else can take one of these jobs over.
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

// Not FOR UPDATE in the subquery: a permit that changed hands meanwhile must be judged by what it was, and is left alone.
const freeStaleSql = `
  with stale as materialized (
    select p.id, p.job_id, p.claim_epoch from cluster_permits p where p.job_id is not null and not ${isValid}
    order by p.id
  )
  update cluster_permits p set job_id = null, claim_epoch = null from stale
  where p.id = stale.id and p.job_id = stale.job_id and p.claim_epoch = stale.claim_epoch`;

// A commit whose answer was lost may have given some of them a permit already.
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
