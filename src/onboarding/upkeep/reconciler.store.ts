import { randomUUIDv7 } from 'node:crypto';
import type { Database, Transaction } from '../../database/database.orm.ts';
import { lockAdmission } from '../admission/admission.store.ts';
import type { QueueEntry, SymbolQueue } from '../job/ports.ts';
import { notifyWork } from '../journal/journal.store.ts';

/** What only a mistake of ours, or a restored backup, can leave behind. */
export interface QueueFindings {
  /** Unfinished jobs that no live entry leads to: nobody would ever take them. */
  lost: { jobId: string; symbol: string }[];
  /** Live entries that lead to no unfinished job: each keeps its symbol's next job out. */
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
  /** Finds them once more, under the admission lock, and mends them; answers what it mended. */
  mend(): Promise<QueueFindings>;
  /** The claims that are this node's according to the database. */
  claims(): Promise<ShownClaim[]>;
  /** Lets go of claims that nothing works on. Their next claim counts as a takeover, so it cannot go on for ever. */
  abandon(claims: readonly ShownClaim[]): Promise<void>;
}

export function reconcilerStore(
  database: Database,
  { queue, node }: { queue: Pick<SymbolQueue, 'enqueue' | 'cancel' | 'release'>; node: string },
): ReconcilerStore {
  return {
    findings: () => findings(database),
    mend: () =>
      database.transaction(async (on) => {
        await lockAdmission(database, on);
        const found = await findings(database, on);
        for (const { entryId } of found.idle) await queue.cancel(entryId, { on });
        if (found.lost.length === 0) return found;
        const entries = found.lost.map((job) => ({ ...job, entryId: randomUUIDv7() }));
        await queue.enqueue(entries, { on });
        await database.sql(leadSql, [JSON.stringify(entries)], { on });
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
    abandon: (claims) =>
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

// One statement, so that all of it is of one moment: entries and jobs are made and settled together.
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

const leadSql = `
  update onboarding_jobs j set queue_entry = r."entryId", updated_at = clock_timestamp()
  from jsonb_to_recordset($1::jsonb) as r("jobId" uuid, "entryId" uuid) where j.id = r."jobId"`;

const claimsSql = `
  select j.id, j.claim_epoch as epoch, b.id as entry, b.retry_count
  from onboarding_jobs j join pgboss.job b on b.name = 'symbol-onboarding' and b.id = j.queue_entry
  where j.node = $1 and j.status in ('pending', 'processing') and b.state = 'active'`;
