import { type Db, fromKysely, type JobAttempt, PgBoss } from 'pg-boss';
import { sessionOptions } from '../../mikro-orm.config.ts';
import { type Database, kyselyTransaction, type Transaction } from '../database.ts';
import { AppError } from '../errors.ts';
import { bossDb } from '../pglite.boss.ts';
import type { QueueEntry, SymbolQueue } from './ports.ts';

const queueName = 'symbol-onboarding';

export interface SymbolQueueEdge extends SymbolQueue {
  /** Calls back on every NOTIFY of a channel, and after the listening connection was lost and came back. */
  listen(
    channel: string,
    onNotify: (payload: string) => void,
    onReconnect: () => void,
  ): Promise<{ close(): Promise<void> }>;
  stop(): Promise<void>;
}

/**
 * The queue on pg-boss, on PostgreSQL and PGlite alike. It owns who may claim; its retry limit is out of reach, so
 * that the machine's limits are the only ones.
 *
 * Embedded, every entry that is active at start belongs to nobody: the directory lock proves it. It is given back.
 */
export async function startSymbolQueue(
  database: Database,
  { log }: { log: (error: Error) => void },
): Promise<SymbolQueueEdge> {
  const boss = createBoss(database);
  // Without a listener an 'error' event would end the process.
  boss.on('error', log);
  boss.on('warning', ({ message }) => log(new Error(message)));
  await boss.start();
  const embedded = database.pglite !== null;
  await boss.createQueue(queueName, {
    policy: 'exclusive',
    retryLimit: 1_000_000,
    retryDelay: 0,
    expireInSeconds: 86_399, // the longest there is; touching does not extend it
    deleteAfterSeconds: 3600, // settled entries say nothing that the journal does not say better
    ...(embedded ? {} : { heartbeatSeconds: 10 }),
  });
  if (embedded) await reclaim(boss);
  return queueOn(boss);
}

function createBoss(database: Database): PgBoss {
  const common = { schedule: false, superviseIntervalSeconds: 1, monitorIntervalSeconds: 1 };
  if (database.pglite) {
    // Nobody else can hold a lease here, so nothing has to be watched each second.
    const calm = { ...common, superviseIntervalSeconds: 60, monitorIntervalSeconds: 60 };
    return new PgBoss({ ...calm, backend: 'pglite', db: bossDb(database.pglite) });
  }
  return new PgBoss({ ...common, connectionString: database.databaseUrl!, options: sessionOptions, max: 4 });
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
      const jobs = entries.map(({ entryId, jobId, symbol }) => ({
        id: entryId,
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
      await boss.complete(queueName, attempts(entries), null, through(on));
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
    stop: () => boss.stop({ graceful: false, close: true }),
  };
}

// The whole attempt, never the bare id: pg-boss fences on the retry count.
const attempts = (entries: readonly QueueEntry[]): JobAttempt[] =>
  entries.map(({ id, retryCount }) => ({ id, retryCount }));
