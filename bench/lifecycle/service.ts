import assert from 'node:assert/strict';
import { jobMachine } from '../../machines/job.ts';
import { jobLimitsSchema, type Phase, phases } from '../../machines/protocol.ts';
import { supervisorMachine } from '../../machines/supervisor.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { loopHealths } from '../../src/kernel/loop-health.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import { admissionStore } from '../../src/onboarding/admission/admission.store.ts';
import { operationsStore } from '../../src/onboarding/admission/operator-requests.store.ts';
import { claimStore } from '../../src/onboarding/claims/claim.store.ts';
import { claimsActor } from '../../src/onboarding/claims/claims.ts';
import { type SymbolQueueEdge, startSymbolQueue } from '../../src/onboarding/claims/symbol.queue.ts';
import { inFlight } from '../../src/onboarding/job/phases-in-flight.ts';
import { channels, isRecord } from '../../src/onboarding/job/ports.ts';
import { journalStore } from '../../src/onboarding/journal/journal.store.ts';
import { createRecorder } from '../../src/onboarding/journal/recorder.ts';
import type { PhaseWork } from '../../src/onboarding/phases.ts';
import { jobActors, type RunningOnboarding, startOnboarding } from '../../src/onboarding/start-onboarding.ts';
import { statelyInspection } from '../../src/onboarding/stately.inspector.ts';
import { openDatabase } from '../../src/open-database.ts';
import { traced } from '../../src/trace-context.ts';
import { contend } from '../support/contestant.ts';
import type { Load } from './load.ts';
import { startViewer } from './viewer.ts';

// The service's own supervisor, machines, recorder, journal, claims and queue, put together as the app does it; only
// the phases return at once. Nobody reads the feed: who watches is no part of the lifecycle.

const node = 'bench';
const limits = jobLimitsSchema.parse({});
const log = (error: unknown) => console.error(error);

await contend<Load>(async (url) => {
  const database = await openDatabase({ databaseUrl: url, dataDir: null, fsync: false });
  await database.migrate();
  const queue = await startSymbolQueue(database, { log });
  return {
    async run(load) {
      await seed(database, queue, load.jobs);
      const { ms, onboarding } = await onboardAll(database, queue, load);
      await onboarding.drain(0);
      await check(database, load.jobs);
      return ms;
    },
    async close() {
      await queue.stop();
      await database.close();
    },
  };
});

async function seed(database: Database, queue: SymbolQueueEdge, jobs: number): Promise<void> {
  await database.sql('truncate onboarding_jobs, onboarding_transitions, symbol_universe cascade');
  await database.sql('update feed_head set position = 0');
  await database.sql(`delete from pgboss.job where name = 'symbol-onboarding'`);
  const symbols = Array.from({ length: jobs }, (_, index) => `SYM${index}`);
  await database.sql('insert into symbol_universe (symbol) select unnest($1::text[])', [symbols]);
  const admission = admissionStore(database, { queue, depthMax: jobs });
  await database.transaction((on) =>
    admission.admit(
      symbols.map((symbol) => ({ symbol, reason: 'upload' as const })),
      { requestedBy: 'bench', on },
    ),
  );
  await database.sql('vacuum analyze onboarding_jobs, onboarding_transitions, symbol_universe, pgboss.job');
  await database.sql('checkpoint');
}

async function onboardAll(
  database: Database,
  queue: SymbolQueueEdge,
  { jobs, concurrency, prefetch, everyPhaseWaits = false, viewers = 0, unit = 'clock' }: Load,
): Promise<{ ms: number; onboarding: RunningOnboarding }> {
  const allSettled = Promise.withResolvers<void>();
  let settled = 0;
  let onboarding: RunningOnboarding;
  const journal = journalStore(database, { queue, node });
  const claims = claimStore(database, { queue, node, limits });
  const operations = operationsStore(database, { queue, node, depthMax: jobs });
  const recorder = createRecorder({
    ledger: { commit: (entries) => journal.commit(entries.filter(isRecord)).then(() => []) },
    clock: systemClock,
    log,
    signal: new AbortController().signal,
    onEnded: (claim) => onboarding.send({ type: 'job.ended', ...claim }),
    onSettled(claim) {
      onboarding.send({ type: 'job.settled', ...claim });
      settled += 1;
      if (settled === jobs) allSettled.resolve();
    },
    onLost: (claim) => allSettled.reject(new Error(`${claim.symbol} was lost`)),
  });
  const flights = inFlight();
  const work = everyPhaseWaits ? { ...inService, factors: afterCommit, cache: afterCommit } : inService;
  const fail = (_claim: unknown, reason: unknown) => allSettled.reject(new Error(String(reason)));
  const actors = jobActors(work, {
    recorder,
    traced,
    inFlight: flights,
    clock: systemClock,
    random: Math.random,
    onRefused: fail,
    onFailure: fail,
  });
  const wakers = new Set<() => void>();
  const listening = await queue.listen(
    channels.work,
    () => {
      for (const wake of wakers) wake();
    },
    () => {},
  );
  const loops = loopHealths({ clock: systemClock, log });
  const claimsOfNode = claimsActor({
    jobs: { ...claims, ...operations },
    onWork(wake) {
      wakers.add(wake);
      return () => void wakers.delete(wake);
    },
    recorder,
    inFlight: flights,
    limits,
    clock: systemClock,
    loops,
    log,
  });
  const machine = supervisorMachine.provide({
    actors: { job: jobMachine.provide({ actors }), claims: claimsOfNode },
  });
  const watching = await Promise.all(Array.from({ length: viewers }, startViewer));
  const begin = now(unit);
  onboarding = startOnboarding({
    machine,
    // ONBOARDING_PREFETCH, so that a permit that comes free never waits for a claim and a claim takes several jobs.
    limits: { depth: jobs, concurrency, prefetch },
    recorder,
    inFlight: flights,
    jobs: claims,
    touch: (entries) => queue.touch(entries),
    leases: loops.leases,
    stopWaiting: () => {},
    onFault: (fault) => allSettled.reject(new Error(fault)),
    clock: systemClock,
    log,
  });
  const inspection = statelyInspection({ root: () => onboarding.root, log });
  const inspecting = await Promise.all(watching.map(({ send }) => inspection.watch(send)));
  await allSettled.promise;
  const ms = now(unit) - begin;
  for (const stop of inspecting) stop();
  for (const viewer of watching) await viewer.close();
  await listening.close();
  return { ms, onboarding };
}

/** Milliseconds of the clock, or those that this thread has had of a processor. */
function now(unit: Load['unit']): number {
  if (unit === 'clock') return performance.now();
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

const atOnce: PhaseWork = async () => ({ results: {} });
const afterCommit: PhaseWork = async (_input, _signal, { durable }) => {
  await durable();
  return { results: {} };
};

/** As `phaseWork` does: fetch asks somebody else, universe and snapshot commit what they write with their transition. */
const inService: Record<Phase, PhaseWork> = {
  fetch: afterCommit,
  factors: atOnce,
  universe: afterCommit,
  snapshot: afterCommit,
  cache: atOnce,
};

/** Nothing is lent: every job has its whole journal, every symbol is ready, every queue entry settled. */
async function check(database: Database, jobs: number): Promise<void> {
  const [found] = await database.sql(
    `select
       (select count(*) from onboarding_jobs where status = 'completed' and outcome = 'complete'
         and queue_entry is null and node is null and sequence = 8)::int as completed,
       (select count(*) from (select job_id from onboarding_transitions group by job_id
         having count(*) = 8 and max(sequence) = 8 and string_agg(to_state, ' ' order by sequence) = $1) as whole)::int
         as journaled,
       (select count(*) from symbol_universe where ready_at is not null)::int as ready,
       (select count(*) from pgboss.job where name = 'symbol-onboarding')::int as queued,
       (select count(distinct position) from onboarding_transitions
         where position between 1 and (select position from feed_head))::int as positions`,
    [journal.join(' ')],
  );
  assert.deepEqual(found, {
    completed: jobs,
    journaled: jobs,
    ready: jobs,
    queued: 0,
    positions: jobs * journal.length,
  });
}

const journal = ['pending', 'pending', ...phases.map((phase) => `processing.${phase}.running`), 'completed'];
