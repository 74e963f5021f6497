import { afterEach, describe, expect, test } from 'vitest';
import type { AnyStateNode, AnyTransitionDefinition } from 'xstate';
import { getAdjacencyMap, TestModel } from 'xstate/graph';
import { isAtRest, type JobSnapshot, jobMachine, stateName } from '../../machines/job.ts';
import { type PhaseFailure, phases } from '../../machines/protocol.ts';
import { claimOf, limits, liveJob, permanent, progressFrom, stopAll, transient, waitFor } from './harness.ts';

afterEach(stopAll);

/** One retry and one wait: enough to reach every state in every way, few enough to walk them all. */
const small = { ...limits, retryLimit: 1, retryWaitMaxMs: 100 };
const failures: Record<string, PhaseFailure | Error> = {
  transient,
  permanent,
  wait: waitFor(100),
  pause: waitFor(100, 'database_unavailable'),
  exception: new Error('a mistake of ours'),
};
type Event = Parameters<typeof jobMachine.getTransitionData>[1];
type Step = { event: Event; state: JobSnapshot };

const events: Event[] = [
  { type: 'permit.granted' },
  { type: 'job.cancel' },
  { type: 'job.retry' },
  { type: 'xstate.done.actor.sleepUntil' },
  { type: 'xstate.error.actor.sleepUntil', error: new Error('the clock broke') },
  ...phases.flatMap((phase): Event[] => [
    { type: `xstate.done.actor.${phase}`, output: { results: { [phase]: 1 } } },
    ...Object.values(failures).map((error): Event => ({ type: `xstate.error.actor.${phase}`, error })),
  ]),
  { type: 'xstate.done.actor.factors', output: { results: { factors: 1 }, partial: true } },
];
const options = {
  input: { claim: claimOf('AAPL'), progress: progressFrom(), limits: small },
  events,
  serializeState: ({ value, context }: JobSnapshot) => {
    const { attempt, waitedMs, partial, degraded, permit, phase, error, retryAt } = context;
    return JSON.stringify([value, phase, attempt, waitedMs, partial, degraded, permit, error?.code, retryAt]);
  },
  filterEvents: (snapshot: JobSnapshot, event: Event) => snapshot.can(event),
  limit: 100_000,
};
interface Reached {
  state: JobSnapshot;
  transitions: Record<string, Step>;
}
const reached = Object.values(getAdjacencyMap(jobMachine, options) as unknown as Record<string, Reached>);
const edges = reached.flatMap(({ state, transitions }) =>
  Object.values(transitions).map(({ event, state: next }) => ({ state, event, next })),
);
const nameOf = (snapshot: JobSnapshot) => stateName(snapshot.value);

function leavesOf(node: AnyStateNode): AnyStateNode[] {
  const children = Object.values<AnyStateNode>(node.states);
  return children.length ? children.flatMap(leavesOf) : [node];
}
const visible = leavesOf(jobMachine.root).filter((node) => !node.tags.includes('transient'));

describe('every path through a job', () => {
  test('reaches every state', () => {
    const names = new Set(reached.map(({ state }) => nameOf(state)));
    expect([...names].sort()).toEqual(visible.map((node) => node.path.join('.')).sort());
    expect(reached.length).toBeGreaterThan(300);
  });

  test('takes every transition that the chart draws', () => {
    const taken = new Set<AnyTransitionDefinition>(
      edges.flatMap(({ state, event }) => jobMachine.getTransitionData(state, event)),
    );
    const drawn = [jobMachine.root, ...Object.values<AnyStateNode>(jobMachine.root.states)]
      .flatMap(withDescendants)
      .flatMap((node) => [...node.transitions.values()].flat());
    const missed = drawn.filter((transition) => !taken.has(transition));
    expect(missed.map(({ source, eventType, guard }) => [source.path.join('.'), eventType, guard])).toEqual(
      [],
    );
  });

  test('leads from every state to one at rest', () => {
    const key = (snapshot: JobSnapshot) => options.serializeState(snapshot);
    const out = new Set(
      reached.filter(({ state }) => isAtRest(nameOf(state))).map(({ state }) => key(state)),
    );
    for (let size = -1; size !== out.size; ) {
      size = out.size;
      for (const { state, next } of edges) if (out.has(key(next))) out.add(key(state));
    }
    expect(reached.filter(({ state }) => !out.has(key(state))).map(({ state }) => nameOf(state))).toEqual([]);
  });

  test('never fails because factors could not be measured', () => {
    const failed = reached.filter(
      ({ state }) => state.context.error?.phase === 'factors' && nameOf(state) === 'failed',
    );
    expect(failed.length).toBeGreaterThan(0);
    for (const { state } of failed) {
      // A broken sleep is not a measurement that failed: the clock of this process is gone.
      const bySleep = edges.some(({ next, event }) => next === state && event.type.endsWith('sleepUntil'));
      expect(state.context.degraded !== null || bySleep).toBe(true);
    }
    for (const { state, event, next } of edges) {
      if (event.type !== 'xstate.error.actor.factors' || nameOf(next) !== 'failed') continue;
      expect(state.context.degraded).not.toBeNull();
    }
  });

  test('keeps attempts and waits within their limits, and the phase in step with the state', () => {
    for (const { state } of reached) {
      const { attempt, waitedMs, retryAt, permit, phase, partial, degraded } = state.context;
      const name = nameOf(state);
      expect(attempt).toBeGreaterThanOrEqual(1);
      expect(attempt).toBeLessThanOrEqual(small.retryLimit + 1);
      expect(waitedMs).toBeLessThanOrEqual(small.retryWaitMaxMs);
      expect(retryAt !== null, name).toBe(name.endsWith('.backingOff'));
      if (name.startsWith('processing.')) {
        expect(name.split('.')[1]).toBe(phase);
        expect(permit, name).toBe(name.endsWith('.running'));
      }
      if (degraded !== null) expect(partial).toBe(true);
    }
  });

  test('cancels before the snapshot phase and never after it', () => {
    const cancellable = visible
      .map((node) => node.path.join('.'))
      .filter((name) => /^pending|fetch|factors|universe/.test(name));
    const cancelled = edges.filter(
      ({ next, state }) => nameOf(next) === 'cancelled' && nameOf(state) !== 'cancelled',
    );
    expect([...new Set(cancelled.map(({ state }) => nameOf(state)))].sort()).toEqual(cancellable.sort());
    expect(new Set(cancelled.map(({ event }) => event.type))).toEqual(new Set(['job.cancel']));
  });

  test('runs a completed phase only once, except factors after a partial completion', () => {
    const order = (snapshot: JobSnapshot) => phases.indexOf(snapshot.context.phase);
    for (const { state, event, next } of edges) {
      if (order(next) >= order(state)) continue;
      expect([nameOf(state), event.type, next.context.phase]).toEqual(['completed', 'job.retry', 'factors']);
      expect(state.context.partial).toBe(true);
    }
  });

  test('leaves rest only by a retry, and cancelled not at all', () => {
    const left = edges.filter(({ state, next }) => isAtRest(nameOf(state)) && nameOf(next) !== nameOf(state));
    expect(
      [
        ...new Set(left.map(({ state, event, next }) => [nameOf(state), event.type, nameOf(next)].join(' '))),
      ].sort(),
    ).toEqual(['completed job.retry pending', 'failed job.retry pending']);
  });
});

describe('a live job', () => {
  // TestModel instead of createTestModel: the latter refuses machines with invocations.
  const model = new TestModel(jobMachine, { ...options, stateMatcher: (_, key) => key === '*' });
  const paths = model.getShortestPaths(options);

  test('walks the same states, step by step, on every shortest path', async () => {
    for (const path of paths) {
      const { actor, actors } = liveJob(progressFrom(), small);
      const perform: Record<string, (step: Step) => unknown> = Object.fromEntries(
        events.map(({ type }) => [type, ({ event }: Step) => settle(event)]),
      );
      const settle = (event: Event) => {
        if (event.type === 'xstate.done.actor.sleepUntil') return actors.wake('AAPL');
        if (event.type === 'xstate.error.actor.sleepUntil') return actors.breakSleep('AAPL');
        if ('output' in event) return actors.finish('AAPL', event.output);
        if ('error' in event) return actors.fail('AAPL', event.error);
        return actor.send(event);
      };
      await path.test({
        events: perform as never,
        states: {
          '*': ({ value, context }: JobSnapshot) => {
            expect(actor.getSnapshot().value).toEqual(value);
            expect(actor.getSnapshot().context).toEqual(context);
          },
        },
      });
      stopAll();
    }
    expect(paths.length).toBeGreaterThan(100);
  });
});

function withDescendants(node: AnyStateNode): AnyStateNode[] {
  return [node, ...Object.values<AnyStateNode>(node.states).flatMap(withDescendants)];
}
