import { randomUUIDv7 } from 'node:crypto';
import { machineVersion } from '../../../machines/protocol.ts';
import { advisoryLocks } from '../../database/advisory-locks.ts';
import type { Database, Transaction } from '../../database/database.orm.ts';
import type { Admission, SymbolQueue, Wanted } from '../job/ports.ts';
import { appendTransitions, notifyWork } from '../journal/journal.store.ts';
import { decideAdmission } from './decide-admission.ts';

export interface AdmissionStore {
  /** Takes the admission lock, counts unfinished jobs and adds jobs, as part of a larger transaction. */
  admit(wanted: readonly Wanted[], options: { requestedBy: string; on: Transaction }): Promise<Admission>;
  /** The symbols that have an unfinished job now, read without a lock. */
  unfinished(): Promise<string[]>;
}

interface AdmissionOptions {
  queue: SymbolQueue;
  /** Limit of unfinished jobs over the whole cluster. */
  depthMax: number;
}

export function admissionStore(database: Database, options: AdmissionOptions): AdmissionStore {
  return {
    admit: (wanted, { requestedBy, on }) => admit(database, options, wanted, requestedBy, on),
    unfinished: async () =>
      (await database.sql<{ symbol: string }>(unfinishedSql)).map(({ symbol }) => symbol),
  };
}

const unfinishedSql = `select id, symbol from onboarding_jobs where status in ('pending', 'processing')`;

/**
 * Every transaction that adds a queue entry holds this lock until it ends, so that the depth is exact. Returns the
 * unfinished jobs; no other transaction can add one while the lock is held.
 */
export async function lockAdmission(
  database: Database,
  on: Transaction,
): Promise<{ id: string; symbol: string }[]> {
  await database.sql('select pg_advisory_xact_lock($1)', [advisoryLocks.admission], { on });
  return database.sql(unfinishedSql, [], { on });
}

async function admit(
  database: Database,
  { queue, depthMax }: AdmissionOptions,
  wanted: readonly Wanted[],
  requestedBy: string,
  on: Transaction,
): Promise<Admission> {
  if (wanted.length === 0) return { kind: 'admitted', jobs: [] };
  const unfinished = await lockAdmission(database, on);
  const running = new Map(unfinished.map(({ id, symbol }) => [symbol, id]));
  const verdict = decideAdmission(wanted, { unfinished: new Set(running.keys()), depthMax });
  if (verdict.kind !== 'admissible') return verdict;
  const added = await addJobs(database, queue, verdict.added, requestedBy, on);
  const jobs = [...verdict.joined.map(({ symbol }) => ({ symbol, jobId: running.get(symbol)! })), ...added];
  return { kind: 'admitted', jobs };
}

async function addJobs(
  database: Database,
  queue: SymbolQueue,
  wanted: readonly Wanted[],
  requestedBy: string,
  on: Transaction,
): Promise<{ symbol: string; jobId: string }[]> {
  if (wanted.length === 0) return [];
  const jobs = wanted
    .map((want) => ({ ...want, jobId: randomUUIDv7(), entryId: randomUUIDv7() }))
    .sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
  await queue.enqueue(jobs, { on });
  await database.sql(
    `insert into onboarding_jobs (id, symbol, reason, requested_by, status, state, phase, sequence, queue_entry,
       machine_version)
     select r.id, r.symbol, r.reason, $2, 'pending', 'pending', 'fetch', 1, r.entry, $3
     from jsonb_to_recordset($1::jsonb) as r(id uuid, symbol text, reason text, entry uuid)`,
    [
      JSON.stringify(
        jobs.map(({ jobId, symbol, reason, entryId }) => ({ id: jobId, symbol, reason, entry: entryId })),
      ),
      requestedBy,
      machineVersion,
    ],
    { on },
  );
  await notifyWork(database, on);
  const created = {
    sequence: 1,
    from: null,
    to: 'pending',
    event: 'job.created',
    attempt: 1,
    durationMs: null,
  };
  const rest = { node: null, claimEpoch: 0, error: null, actorSnapshot: null };
  await appendTransitions(
    database,
    jobs.map(({ jobId, symbol }) => ({ jobId, symbol, ...created, ...rest })),
    on,
  );
  return jobs.map(({ symbol, jobId }) => ({ symbol, jobId }));
}
