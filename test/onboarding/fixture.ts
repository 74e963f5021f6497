import { randomUUIDv7 } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { type JobLimits, type JobProgress, jobLimitsSchema } from '../../machines/protocol.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { admissionStore } from '../../src/onboarding/admission/admission.store.ts';
import { operationsStore } from '../../src/onboarding/admission/operator-requests.store.ts';
import { claimStore } from '../../src/onboarding/claims/claim.store.ts';
import { startSymbolQueue } from '../../src/onboarding/claims/symbol.queue.ts';
import type { Journal, TakenClaim, TransitionRecord, Wanted } from '../../src/onboarding/job/ports.ts';
import { fenceStore } from '../../src/onboarding/journal/fence.store.ts';
import { journalStore } from '../../src/onboarding/journal/journal.store.ts';
import { progressFrom } from '../machines/harness.ts';

export const limits: JobLimits = jobLimitsSchema.parse({});

/** A claim as the store hands it out, without a database. */
export function takenOf(symbol: string, changes: Partial<JobProgress> = {}, epoch = 1): TakenClaim {
  return {
    claim: { jobId: `job-${symbol}`, symbol, reason: 'upload', epoch },
    entry: { id: `entry-${symbol}`, retryCount: epoch - 1 },
    progress: progressFrom(changes),
    sequence: 2,
    state: 'pending',
  };
}

/** The next transition of a claim, as the recorder would hand it over. */
export function recordOf(
  taken: TakenClaim,
  to: string,
  changes: Partial<Omit<TransitionRecord, 'job'>> & { job?: Partial<TransitionRecord['job']> } = {},
): TransitionRecord {
  const { job, ...rest } = changes;
  const [status] = to.split('.') as [TransitionRecord['job']['status']];
  return {
    claim: taken.claim,
    entry: taken.entry,
    sequence: taken.sequence + 1,
    from: taken.state,
    to,
    event: 'test',
    durationMs: 5,
    actorSnapshot: null,
    trace: null,
    ...rest,
    job: { ...taken.progress, outcome: null, error: null, status, ...job },
  };
}

/** The stores of one node on a database, with its queue; stopped with the test. */
export async function startNode(
  database: Database,
  { node = 'node-1', depthMax = 50, resumeLimit = 5 } = {},
) {
  const errors: unknown[] = [];
  const queue = await startSymbolQueue(database, { log: (error) => errors.push(error) });
  onTestFinished(() => queue.stop());
  const admission = admissionStore(database, { queue, depthMax });
  const jobs = claimStore(database, { queue, node, limits: { ...limits, resumeLimit } });
  const journal: Journal = journalStore(database, { queue, node });
  return {
    queue,
    jobs,
    journal,
    errors,
    fence: fenceStore(database),
    operations: operationsStore(database, { queue, node, depthMax }),
    admit: (wanted: readonly (string | Wanted)[]) =>
      database.transaction((on) =>
        admission.admit(
          wanted.map((want) =>
            typeof want === 'string' ? { symbol: want, reason: 'upload' as const } : want,
          ),
          { requestedBy: 'local', on },
        ),
      ),
    /** Commits the next transitions of a claim, one record each. */
    async walk(taken: TakenClaim, ...states: string[]) {
      for (const to of states) {
        const record = recordOf(taken, to);
        await journal.commit([record]);
        Object.assign(taken, { sequence: record.sequence, state: to });
      }
    },
  };
}
export type TestNode = Awaited<ReturnType<typeof startNode>>;

export interface StoredTransition {
  symbol: string;
  sequence: number;
  position: number;
  from_state: string | null;
  to_state: string;
  event: string;
  claim_epoch: number;
  error_code: string | null;
}

export function journalOf(database: Database): Promise<StoredTransition[]> {
  return database.sql<StoredTransition>(
    `select symbol, sequence, position::int as position, from_state, to_state, event, claim_epoch, error_code
     from onboarding_transitions order by position`,
  );
}

export async function jobRow(database: Database, symbol: string): Promise<Record<string, unknown>> {
  const [row] = await database.sql(
    'select * from onboarding_jobs where symbol = $1 order by id desc limit 1',
    [symbol],
  );
  return row!;
}

/** The states of the queue's entries, by symbol. */
export async function queueStates(database: Database): Promise<Record<string, string>> {
  const rows = await database.sql<{ symbol: string; state: string }>(
    `select singleton_key as symbol, state::text as state from pgboss.job where name = 'symbol-onboarding'
     order by created_on, id`,
  );
  return Object.fromEntries(rows.map(({ symbol, state }) => [symbol, state]));
}

/** Gapless positions from 1 on, gapless sequences per job, and states that follow one another. */
export function holesIn(transitions: readonly StoredTransition[]): string[] {
  const holes: string[] = [];
  const last = new Map<string, StoredTransition>();
  transitions.forEach((transition, index) => {
    const { symbol, sequence, position, from_state } = transition;
    const before = last.get(symbol);
    if (position !== index + 1) holes.push(`position ${position} at place ${index + 1}`);
    if (sequence !== (before?.sequence ?? 0) + 1)
      holes.push(`${symbol}: ${sequence} after ${before?.sequence}`);
    if (from_state !== (before?.to_state ?? null))
      holes.push(`${symbol}: ${from_state} after ${before?.to_state}`);
    last.set(symbol, transition);
  });
  return holes;
}

export async function emptyTables(database: Database): Promise<void> {
  await database.sql('truncate onboarding_jobs, onboarding_transitions, symbol_universe, portfolios cascade');
  await database.sql('update feed_head set position = 0, floor = 0');
  await database.sql(`delete from pgboss.job where name = 'symbol-onboarding'`);
}

export const newId = randomUUIDv7;
