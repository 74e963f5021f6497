import { randomUUIDv7 } from 'node:crypto';
import type { Database, Transaction } from '../../database/database.orm.ts';
import { lockAdmission } from '../admission/admission.store.ts';
import type { QueueEntry, SymbolQueue } from '../job/ports.ts';
import { notifyWork } from '../journal/journal.store.ts';

/** Inconsistencies that only a bug or a restored backup can cause. */
export interface QueueFindings {
  /** Unfinished jobs without a live queue entry: no node can claim them. */
  lost: { jobId: string; symbol: string }[];
  /** Live queue entries without an unfinished job: each blocks the next job of its symbol. */
  idle: { entryId: string; symbol: string }[];
}

/** A claim as the database shows it. */
export interface ShownClaim {
  jobId: string;
  epoch: number;
  entry: QueueEntry;
}

export interface ReconcilerStore {
  findings(): Promise<QueueFindings>;
  /** Finds them again under the admission lock, repairs them, and returns what it repaired. */
  repair(): Promise<QueueFindings>;
  /** The claims of this node, according to the database. */
  claims(): Promise<ShownClaim[]>;
  /** Releases claims that nothing works on. The next claim counts as a takeover, so `resumeLimit` bounds this. */
  releaseStranded(claims: readonly ShownClaim[]): Promise<void>;
}

export function reconcilerStore(
  database: Database,
  { queue, node }: { queue: Pick<SymbolQueue, 'enqueue' | 'cancel' | 'release'>; node: string },
): ReconcilerStore {
  return {
    findings: () => findings(database),
    repair: () =>
      database.transaction(async (on) => {
        await lockAdmission(database, on);
        const found = await findings(database, on);
        for (const { entryId } of found.idle) await queue.cancel(entryId, { on });
        if (found.lost.length === 0) return found;
        const entries = found.lost.map((job) => ({ ...job, entryId: randomUUIDv7() }));
        await queue.enqueue(entries, { on });
        await database.sql(linkSql, [JSON.stringify(entries)], { on });
        await notifyWork(database, on);
        return found;
      }),
    async claims() {
      const rows = await database.sql<{ id: string; epoch: number; entry: string; retry_count: number }>(
        claimsSql,
        [node],
      );
      return rows.map(({ id, epoch, entry, retry_count: retryCount }) => ({
        jobId: id,
        epoch,
        entry: { id: entry, retryCount },
      }));
    },
    releaseStranded: (claims) =>
      database.transaction(async (on) => {
        await queue.release(
          claims.map(({ entry }) => entry),
          { on },
        );
        await notifyWork(database, on);
      }),
  };
}

async function findings(database: Database, on?: Transaction): Promise<QueueFindings> {
  const [row] = await database.sql<QueueFindings>(findingsSql, [], { on });
  return row!;
}

// One statement, so that everything is from one snapshot: entries and jobs are created and settled in one transaction.
const findingsSql = `
  with live as (
    select id, singleton_key as symbol from pgboss.job
    where name = 'symbol-onboarding' and state in ('created', 'retry', 'active')
  ), unfinished as (
    select id, symbol, queue_entry from onboarding_jobs where status in ('pending', 'processing')
  )
  select
    (select coalesce(json_agg(json_build_object('jobId', u.id, 'symbol', u.symbol) order by u.symbol), '[]')
      from unfinished u where not exists (select from live l where l.id = u.queue_entry)) as lost,
    (select coalesce(json_agg(json_build_object('entryId', l.id, 'symbol', l.symbol) order by l.symbol), '[]')
      from live l where not exists (select from unfinished u where u.queue_entry = l.id)) as idle`;

const linkSql = `
  update onboarding_jobs j set queue_entry = r."entryId", updated_at = clock_timestamp()
  from jsonb_to_recordset($1::jsonb) as r("jobId" uuid, "entryId" uuid) where j.id = r."jobId"`;

const claimsSql = `
  select j.id, j.claim_epoch as epoch, b.id as entry, b.retry_count
  from onboarding_jobs j join pgboss.job b on b.name = 'symbol-onboarding' and b.id = j.queue_entry
  where j.node = $1 and j.status in ('pending', 'processing') and b.state = 'active'`;
