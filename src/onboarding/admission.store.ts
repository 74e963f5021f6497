import { randomUUIDv7 } from 'node:crypto';
import { machineVersion } from '../../machines/protocol.ts';
import type { Database, Transaction } from '../database.ts';
import { appendTransitions, notifyWork } from './journal.store.ts';
import type { Admission, SymbolQueue, Wanted } from './ports.ts';

export interface AdmissionStore {
  /** Locks the admission: what it then counts and adds, nobody else counts or adds. Part of a larger transaction. */
  admit(wanted: readonly Wanted[], options: { requestedBy: string; on: Transaction }): Promise<Admission>;
}

interface AdmissionOptions {
  queue: SymbolQueue;
  /** Jobs admitted and unfinished, over the whole cluster. */
  depthMax: number;
}

export function admissionStore(database: Database, options: AdmissionOptions): AdmissionStore {
  return {
    admit: (wanted, { requestedBy, on }) => admit(database, options, wanted, requestedBy, on),
  };
}

const admissionLock = 727275; // any constant: it only has to be the same on every node

/**
 * Everyone who adds a queue entry holds this until the transaction ends: only so is the depth exact. Answers the
 * unfinished jobs, to which nobody else can add now.
 */
export async function lockAdmission(
  database: Database,
  on: Transaction,
): Promise<{ id: string; symbol: string }[]> {
  await database.sql('select pg_advisory_xact_lock($1)', [admissionLock], { on });
  return database.sql(
    `select id, symbol from onboarding_jobs where status in ('pending', 'processing')`,
    [],
    { on },
  );
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
  const joined = wanted.filter(({ symbol }) => running.has(symbol));
  const missing = wanted.filter(({ symbol }) => !running.has(symbol));
  const required = missing.filter(({ reason }) => reason !== 'refresh');
  const free = Math.max(0, depthMax - unfinished.length); // the limit may have been lowered at the last start
  if (required.length > depthMax) {
    return { kind: 'too_many_symbols', needed: required.length, limit: depthMax };
  }
  if (required.length > free) {
    return { kind: 'queue_full', depth: unfinished.length, limit: depthMax, needed: required.length };
  }
  // A refresh takes what room is left and never turns an upload away: its lots keep their stored close meanwhile.
  const refreshes = missing.filter(({ reason }) => reason === 'refresh').slice(0, free - required.length);
  const added = await addJobs(database, queue, [...required, ...refreshes], requestedBy, on);
  const jobs = [...joined.map(({ symbol }) => ({ symbol, jobId: running.get(symbol)! })), ...added];
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
