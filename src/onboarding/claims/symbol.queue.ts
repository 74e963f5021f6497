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
// pg-boss deletes an entry that nobody took for as long as this: after 14 days unless it is set. Ten years, and their
// leap days.
const retentionSeconds = 3660 * 24 * hourSeconds;

/**
 * The queue on pg-boss, on PostgreSQL and PGlite alike. It owns who may claim; its retry limit is out of reach, so
 * that the machine's limits are the only ones.
 *
 * Embedded, every entry that is active at start belongs to nobody: the directory lock proves it. It is given back.
 */
export async function startSymbolQueue(
  database: Database,
  { log, clock }: { log: (error: Error) => void; clock?: BossClock },
): Promise<SymbolQueueEdge> {
  const boss = createBoss(database, clock);
  // Without a listener an 'error' event would end the process.
  boss.on('error', log);
  boss.on('warning', ({ message }) => log(new Error(message)));
  // Before it starts: its first sweep would take the entries of a service that was stopped for two weeks.
  await keepEntries(database);
  await boss.start();
  const embedded = database.pglite !== null;
  const options = {
    retryLimit: 1_000_000,
    retryDelay: 0,
    expireInSeconds: 24 * hourSeconds - 1, // the longest there is; touching does not extend it
    retentionSeconds,
    deleteAfterSeconds: hourSeconds, // those of cancelled jobs
    ...(embedded ? {} : { heartbeatSeconds: 10 }),
  };
  await boss.createQueue(queueName, { policy: 'exclusive', ...options });
  await boss.updateQueue(queueName, options); // a queue that was there is not changed by creating it
  if (embedded) await reclaim(boss);
  return queueOn(boss);
}

/** Entries that an earlier version made were to be kept for 14 days. */
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
    // Nobody else can hold a lease here, so nothing has to be watched each second.
    const calm = { ...common, superviseIntervalSeconds: 60, monitorIntervalSeconds: 60 };
    return new PgBoss({ ...calm, backend: 'pglite', db: bossDb(database.pglite) });
  }
  // Its types name fewer settings than it hands on to its pool.
  const sessions: object = sessionOptions;
  return new PgBoss({ ...common, connectionString: database.databaseUrl!, max: 4, ...sessions });
}

async function reclaim(boss: PgBoss): Promise<void> {
  const entries = await boss.findJobs(queueName, { limit: 100_000 });
  const active = entries.filter(({ state }) => state === 'active').map(({ id }) => id);
  if (active.length > 0) await boss.fail(queueName, active, { reason: 'the process that held it is gone' });
}

function queueOn(boss: PgBoss): SymbolQueueEdge {
  const through = (on: Transaction): { db: Db } => ({ db: fromKysely(kyselyTransaction(on) as never) });
  return {
    async enqueue(entries, { on }) {
      const jobs = entries.map(({ entryId, jobId, symbol, reason }) => ({
        id: entryId,
        // No user waits for a refresh.
        priority: reason === 'refresh' ? 0 : 1,
        data: { jobId, symbol },
        singletonKey: symbol,
      }));
      const inserted = await boss.insert(queueName, jobs, { ...through(on), returnId: true });
      if (inserted?.length === jobs.length) return;
      throw new AppError('queue_conflict', 'A symbol of this upload is being settled right now; try again.', {
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
      if (!listen) throw new AppError('internal_error', 'expected a database that can listen, got: none');
      return listen(channel, onNotify, onReconnect);
    },
    parts,
    stop: () => boss.stop({ graceful: false, close: true }),
  };
}

// pg-boss runs its statements one by one. These do the same to the rows of a queue without a partition of its own, and
// a test holds them against what it does itself.
//
// An entry is looked up by its key: `any(array(…))` for each, and its state as a text, which no index knows. By the
// index of active entries every one that any node holds was read for each one that was settled.
//
// What is settled is taken out: the journal tells better what became of it, and marking a row of a table with 17
// indexes took longer than everything else that ends a job.
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

// The whole attempt, never the bare id: pg-boss fences on the retry count.
const attempts = (entries: readonly QueueEntry[]): JobAttempt[] =>
  entries.map(({ id, retryCount }) => ({ id, retryCount }));
