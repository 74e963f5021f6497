import type { Database, Transaction } from './database.orm.ts';

/** Keys of PostgreSQL's advisory locks: arbitrary, distinct numbers, the same on every node. */
export const advisoryLocks = {
  migration: 727274,
  admission: 727275,
  pruneJournal: 727276,
  pruneJobs: 727277,
  pruneExposures: 727278,
  pruneProxySets: 727279,
} as const;

/** Runs `work` in a transaction that holds the lock. Returns null without running it if another node holds the lock. */
export function onOneNode<T>(
  database: Database,
  lock: keyof typeof advisoryLocks,
  work: (on: Transaction) => Promise<T>,
): Promise<T | null> {
  return database.transaction<T | null>(async (on) => {
    const [answer] = await database.sql<{ mine: boolean }>(
      'select pg_try_advisory_xact_lock($1) as mine',
      [advisoryLocks[lock]],
      { on },
    );
    return answer!.mine ? work(on) : null;
  });
}
