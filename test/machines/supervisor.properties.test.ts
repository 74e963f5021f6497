import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { isAtRest } from '../../machines/job.ts';
import { type JobProgress, type JobReason, phases } from '../../machines/protocol.ts';
import { room, type SupervisorContext } from '../../machines/supervisor.ts';
import {
  claimOf,
  limits,
  liveSupervisor,
  now,
  permanent,
  poison,
  progressFrom,
  random,
  settled,
  stopAll,
  transient,
  waitFor,
} from './harness.ts';

afterEach(stopAll);

const symbols = ['A', 'B', 'C', 'D', 'E', 'F'];
type Live = ReturnType<typeof liveSupervisor>;
type Command =
  | { type: 'take'; symbol: string; reason: JobReason; progress: Partial<JobProgress> }
  | { type: 'lose' | 'end' | 'settle' | 'cancel' | 'late'; symbol: string }
  | { type: 'finish' | 'crash' | 'wake'; nth: number }
  | { type: 'grant'; nth: number }
  | { type: 'fail'; nth: number; failure: unknown };

const symbol = fc.constantFrom(...symbols);
const reason = fc.constantFrom<JobReason>('upload', 'upload', 'refresh');
const nth = fc.nat({ max: 20 });
const progress: fc.Arbitrary<Partial<JobProgress>> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  fc.record({
    status: fc.constant('processing' as const),
    phase: fc.constantFrom(...phases),
    attempt: fc.integer({ min: 1, max: 4 }),
    retryAt: fc.option(fc.constant(now + 1000)),
    resumes: fc.constantFrom(0, 0, 0, limits.resumeLimit + 1),
  }),
);
const failure = fc.constantFrom(
  transient,
  permanent,
  waitFor(1000),
  waitFor(9, 'database_unavailable'),
  new Error('x'),
);
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('take' as const), symbol, reason, progress }) },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constantFrom('lose', 'end', 'settle', 'cancel', 'late'), symbol }),
  },
  { weight: 8, arbitrary: fc.record({ type: fc.constantFrom('finish', 'finish', 'wake', 'crash'), nth }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('fail' as const), nth, failure }) },
  { weight: 8, arbitrary: fc.record({ type: fc.constant('grant' as const), nth }) },
);
const capacity = fc.record({
  concurrency: fc.integer({ min: 1, max: 4 }),
  prefetch: fc.integer({ min: 0, max: 5 }),
  depth: fc.integer({ min: 1, max: 8 }),
  childrenMax: fc.integer({ min: 1, max: 6 }),
  clusterConcurrency: fc.option(fc.integer({ min: 1, max: 4 })),
});

/** What the test knows by itself: which claims must have a child, and with which epoch. */
type Expected = Map<string, number>;

async function perform(live: Live, expected: Expected, next: Command, epoch: number): Promise<void> {
  const { actors, send, context } = live;
  if (next.type === 'take') {
    if (expected.has(next.symbol) || expected.size < context().childrenMax) expected.set(next.symbol, epoch);
    const claim = { ...claimOf(next.symbol, epoch), reason: next.reason };
    return send({ type: 'claim.taken', claim, progress: progressFrom(next.progress), limits });
  }
  if ('symbol' in next) {
    const current = expected.get(next.symbol);
    if (next.type === 'late') return send({ type: 'job.settled', symbol: next.symbol, epoch: -1 });
    if (next.type === 'end') {
      if (isAtRest(live.name(next.symbol) ?? '')) send({ type: 'job.ended', symbol: next.symbol });
      return;
    }
    if (next.type === 'cancel') return send({ type: 'job.cancel', symbol: next.symbol });
    expected.delete(next.symbol);
    const type = next.type === 'lose' ? 'claim.lost' : 'job.settled';
    return send({ type, symbol: next.symbol, ...(current === undefined ? {} : { epoch: current }) });
  }
  if (next.type === 'grant') {
    const wanted = live.wanted();
    const claim = wanted[next.nth % Math.max(1, wanted.length)];
    return claim && live.grant(claim);
  }
  const list = next.type === 'wake' ? actors.sleeping() : actors.running();
  const chosen = list[next.nth % Math.max(1, list.length)];
  if (chosen === undefined) return;
  if (next.type === 'wake') return actors.wake(chosen);
  if (next.type === 'finish') return actors.finish(chosen);
  if (next.type === 'fail') return actors.fail(chosen, next.failure);
  expected.delete(chosen);
  return actors.finish(chosen, poison);
}

/** What must be true between any two events of the supervisor. */
function checkStep(before: SupervisorContext, after: SupervisorContext): void {
  const { permits, asking, waiting, clusterConcurrency, children } = after;
  const concurrency = Math.min(after.concurrency, clusterConcurrency ?? after.concurrency);
  const used = permits.length + asking.length;
  expect(used).toBeLessThanOrEqual(concurrency);
  expect(new Set([...permits, ...asking, ...waiting]).size).toBe(used + waiting.length);
  expect(used === concurrency || waiting.length === 0).toBe(true);
  if (clusterConcurrency === null) expect(asking).toEqual([]);
  expect(children.length).toBeLessThanOrEqual(after.childrenMax);
  expect(after.announcedRoom).toBe(room(after));
  expect(room(after)).toBe(
    Math.max(
      0,
      Math.min(
        concurrency - used - waiting.length + after.prefetch,
        Math.min(after.depth, after.childrenMax) - children.length,
      ),
    ),
  );
  // First come, first served, a refresh after all others: who stays in the queue keeps the order, and whoever was granted
  // stood before them.
  const same = (name: string) =>
    children.find((claim) => claim.symbol === name && before.children.includes(claim));
  const stayed = before.waiting.filter((name) => waiting.includes(name) && same(name));
  expect(waiting.slice(0, stayed.length)).toEqual(stayed);
  const granted = [...permits, ...asking].filter(
    (name) => !before.permits.includes(name) && before.waiting.includes(name) && same(name),
  );
  const place = (name: string) =>
    before.waiting.indexOf(name) + (same(name)?.reason === 'refresh' ? before.waiting.length : 0);
  const firstStayed = Math.min(...stayed.map(place));
  for (const name of granted) expect(place(name)).toBeLessThan(firstStayed);
}

/** What must be true whenever nothing is under way. */
function checkRest(live: Live, expected: Expected): void {
  const { context, symbols: living, name, child, actors, rooms, supervisor, errors } = live;
  expect(supervisor.getSnapshot().status).toBe('active');
  expect(errors).toEqual([]);
  expect(living().sort()).toEqual([...expected.keys()].sort());
  expect(rooms().at(-1)).toBe(room(context()));
  expect(actors.running().length).toBeLessThanOrEqual(context().concurrency);
  for (const claim of context().children) {
    expect(claim.epoch).toBe(expected.get(claim.symbol));
    const at = name(claim.symbol) ?? '';
    const { attempt, waitedMs, claim: own } = child(claim.symbol)!.getSnapshot().context;
    expect(own).toEqual(claim);
    expect(attempt).toBeLessThanOrEqual(limits.retryLimit + 1);
    expect(waitedMs).toBeLessThanOrEqual(limits.retryWaitMaxMs);
    if (isAtRest(at)) continue;
    expect(context().permits.includes(claim.symbol), at).toBe(at.endsWith('.running'));
    const queued = [...context().asking, ...context().waiting].includes(claim.symbol);
    expect(queued, at).toBe(/pending|waiting$/.test(at));
    expect(actors.running().includes(claim.symbol), at).toBe(at.endsWith('.running'));
    expect(actors.sleeping().includes(claim.symbol), at).toBe(at.endsWith('.backingOff'));
  }
}

async function run(given: Parameters<typeof liveSupervisor>[0], commands: readonly Command[]) {
  const live = liveSupervisor(given);
  const expected: Expected = new Map();
  const broken: unknown[] = [];
  let before = live.context();
  const watching = live.supervisor.subscribe(({ context }) => {
    try {
      checkStep(before, context);
    } catch (error) {
      broken.push(error); // XState would throw it out of a timer
    }
    before = context;
  });
  for (const [i, next] of commands.entries()) {
    await perform(live, expected, next, i);
    if (broken.length) throw broken[0];
    checkRest(live, expected);
  }
  watching.unsubscribe();
  return { live, expected };
}

describe('whatever the order of events', () => {
  test('permits are bounded, conserved and fair, no child is lost, and every job comes to its end', async () => {
    await fc.assert(
      fc.asyncProperty(
        capacity,
        fc.array(command, { maxLength: 60, size: 'max' }),
        async (given, commands) => {
          const { live, expected } = await run(given, commands);
          const { actors, symbols: living, name, send } = live;
          for (let round = 0; living().length > 0; round++) {
            expect(round).toBeLessThan(100);
            for (const claim of live.wanted()) live.grant(claim);
            for (const each of actors.running()) await actors.finish(each);
            for (const each of actors.sleeping()) await actors.wake(each);
            for (const each of living().filter((one) => isAtRest(name(one) ?? ''))) {
              expected.delete(each);
              send({ type: 'job.settled', symbol: each });
            }
            checkRest(live, expected);
          }
          stopAll();
        },
      ),
      random(60, 3000),
    );
  }, 600_000);

  test('a drain ends with its grace, every signal aborted, no child left and nothing granted', async () => {
    await fc.assert(
      fc.asyncProperty(
        capacity,
        fc.array(command, { maxLength: 40 }),
        fc.nat({ max: 5 }),
        async (given, commands, last) => {
          const { live } = await run(given, commands);
          const { supervisor, actors, context, clock, symbols: living } = live;
          const holders = [...context().permits];
          supervisor.send({ type: 'drain', graceMs: 1000 });
          expect(living().filter((one) => !holders.includes(one))).toEqual([]);
          const started = actors.started.length;
          for (const each of actors.running().slice(0, last)) await actors.fail(each, transient);
          const after = actors.started.slice(started).map(({ claim }) => claim.symbol);
          expect([...after, ...context().permits].filter((one) => !holders.includes(one))).toEqual([]);
          clock.increment(1000);
          await settled();
          expect(supervisor.getSnapshot().status).toBe('done');
          expect(living()).toEqual([]);
          expect([...actors.running(), ...actors.sleeping()]).toEqual([]);
          stopAll();
        },
      ),
      random(40, 2000),
    );
  }, 600_000);
});
