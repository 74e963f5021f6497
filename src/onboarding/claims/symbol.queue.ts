import { type Clock as BossClock, type Db, fromKysely, type JobAttempt, PgBoss } from 'pg-boss';
import { bossDb } from '../../database/boss.pglite.ts';
import { type Database, kyselyTransaction, type Transaction } from '../../database/database.orm.ts';
import { sessionOptions } from '../../database/postgres.pool.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Notifications, QueueEntry, QueueParts, SymbolQueue } from '../job/ports.ts';

const queueName = 'symbol-onboarding';

export interface SymbolQueueEdge extends SymbolQueue, Notifications {
  stop(): Promise<void>;
}

const hourSeconds = 3600;
// pg-boss deletes an entry that was not fetched within this time, by default 14 days. Ten years, with leap days.
const retentionSeconds = 3660 * 24 * hourSeconds;

/**
 * The queue on pg-boss, for PostgreSQL and PGlite. It decides which node may claim a job. Its retry limit is too high
 * to be reached, so that only the limits of the machine count.
 *
 * On an embedded database no other process can hold an entry, because of the directory lock. So every entry that is
 * active at start is released.
 */
export async function startSymbolQueue(
  database: Database,
  { log, clock }: { log: (error: Error) => void; clock?: BossClock },
): Promise<SymbolQueueEdge> {
  const boss = createBoss(database, clock);
  // Without a listener an 'error' event would crash the process.
  boss.on('error', log);
  boss.on('warning', ({ message }) => log(new Error(message)));
  // Before the start of pg-boss: its first sweep would delete the entries of a service that was down for two weeks.
  await keepEntries(database);
  await boss.start();
  const embedded = database.pglite !== null;
  const options = {
    retryLimit: 1_000_000,
    retryDelay: 0,
    expireInSeconds: 24 * hourSeconds - 1, // the maximum of pg-boss; `touch` does not extend it
    retentionSeconds,
    deleteAfterSeconds: hourSeconds, // for the entries of cancelled jobs
    ...(embedded ? {} : { heartbeatSeconds: 10 }),
  };
  await boss.createQueue(queueName, { policy: 'exclusive', ...options });
  await boss.updateQueue(queueName, options); // `createQueue` does not change an existing queue
  if (embedded) await reclaim(boss);
  return queueOn(boss);
}

/** Extends the retention of entries that an earlier version created with 14 days. */
async function keepEntries(database: Database): Promise<void> {
  const [table] = await database.sql<{ exists: boolean }>(
    `select to_regclass('pgboss.job') is not null as exists`,
  );
  if (table!.exists) await database.transaction((on) => database.sql(keepSql, [retentionSeconds], { on }));
}

const keepSql = `
  with due as materialized (
    select id from pgboss.job
    where name = '${queueName}' and state in ('created', 'retry', 'active')
      and keep_until < start_after + $1::int * interval '1 s'
    order by id for no key update
  )
  update pgboss.job q set keep_until = q.start_after + $1::int * interval '1 s'
  from due where q.name = '${queueName}' and q.id = due.id`;

function createBoss(database: Database, clock?: BossClock): PgBoss {
  const common = {
    schedule: false,
    superviseIntervalSeconds: 1,
    monitorIntervalSeconds: 1,
    ...(clock && { clock }),
  };
  if (database.pglite) {
    // No other process can hold a lease here, so leases need no check every second.
    const relaxed = { ...common, superviseIntervalSeconds: 60, monitorIntervalSeconds: 60 };
    return new PgBoss({ ...relaxed, backend: 'pglite', db: bossDb(database.pglite) });
  }
  // pg-boss passes these settings on to its pool, but its types do not list them.
  const sessions: object = sessionOptions;
  return new PgBoss({ ...common, connectionString: database.databaseUrl!, max: 4, ...sessions });
}

async function reclaim(boss: PgBoss): Promise<void> {
  const entries = await boss.findJobs(queueName, { limit: 100_000 });
  const active = entries.filter(({ state }) => state === 'active').map(({ id }) => id);
  if (active.length > 0) await boss.fail(queueName, active, { reason: 'its process has ended' });
}

function queueOn(boss: PgBoss): SymbolQueueEdge {
  const through = (on: Transaction): { db: Db } => ({ db: fromKysely(kyselyTransaction(on) as never) });
  return {
    async enqueue(entries, { on }) {
      const jobs = entries.map(({ entryId, jobId, symbol, reason }) => ({
        id: entryId,
        // Refreshes come last: no user waits for them.
        priority: reason === 'refresh' ? 0 : 1,
        data: { jobId, symbol },
        singletonKey: symbol,
      }));
      const inserted = await boss.insert(queueName, jobs, { ...through(on), returnId: true });
      if (inserted?.length === jobs.length) return;
      throw new AppError('queue_conflict', 'A job of one of these symbols is just ending. Try again.', {
        retryable: true,
      });
    },
    async fetch(limit, { on }) {
      const jobs = await boss.fetch<{ jobId: string }>(queueName, { batchSize: limit, ...through(on) });
      return jobs.map(({ id, retryCount, data }) => ({ id, retryCount, jobId: data.jobId }));
    },
    async complete(entries, { on }) {
      await boss.deleteJob(queueName, attempts(entries), through(on));
    },
    async release(entries, { on }) {
      await boss.fail(queueName, attempts(entries), null, through(on));
    },
    async cancel(entryId, { on }) {
      await boss.cancel(queueName, entryId, through(on));
    },
    async touch(entries) {
      if (entries.length === 0) return [];
      const { settled } = (await boss.touch(queueName, attempts(entries))) as { settled?: string[] };
      const held = new Set(settled ?? []);
      return entries.filter(({ id }) => !held.has(id));
    },
    async listen(channel, onNotify, onReconnect) {
      const listen = boss.getDb().listen?.bind(boss.getDb());
      if (!listen)
        throw new AppError('internal_error', 'expected a database that supports LISTEN, got: none');
      return listen(channel, onNotify, onReconnect);
    },
    parts,
    stop: () => boss.stop({ graceful: false, close: true }),
  };
}

// pg-boss runs each of its operations as a statement of its own. These parts of larger statements do the same to the
// rows of a queue without its own partition; a test compares them with pg-boss itself.
//
// `any(array(…))`, and the state compared as text, make the planner look entries up by primary key. With the index of
// active entries it read the active entries of all nodes for each settled entry.
//
// A settled entry is deleted, not marked: the journal has its history, and an update in a table with 17 indexes took
// longer than everything else at the end of a job.
const parts: QueueParts = {
  next: (limit, condition) => `
    select q.id as entry_id, (q.data ->> 'jobId')::uuid as job_id from pgboss.job_common q
    where q.name = '${queueName}' and q.state < 'active' and not q.blocked and q.start_after <= pgboss.job_now()
      and ${condition}
    order by q.priority desc, q.created_on limit ${limit} for update of q skip locked`,
  take: (entries) => `
    update pgboss.job_common q set state = 'active', started_on = pgboss.job_now(), heartbeat_on = pgboss.job_now(),
      retry_count = q.retry_count + case when q.started_on is null then 0 else 1 end
    from (${entries}) e where q.name = '${queueName}' and q.id = e.entry_id
      and q.id = any(array(select entry_id from (${entries}) every_entry))
    returning q.id as entry_id, q.retry_count`,
  lock: (entries) => `
    select q.id from pgboss.job_common q join (${entries}) e on e.entry_id = q.id and e.retry_count = q.retry_count
    where q.name = '${queueName}' and q.id = any(array(select entry_id from (${entries}) every_entry))
      and q.state::text = 'active'
    order by q.id for no key update of q`,
  complete: (entries) => `
    delete from pgboss.job_common q using (${entries}) e
    where q.name = '${queueName}' and q.id = any(array(select entry_id from (${entries}) every_entry))
      and q.id = e.entry_id and q.state::text = 'active' and q.retry_count = e.retry_count`,
};

// With the retry count, never the id alone: pg-boss uses it as a fencing token.
const attempts = (entries: readonly QueueEntry[]): JobAttempt[] =>
  entries.map(({ id, retryCount }) => ({ id, retryCount }));
