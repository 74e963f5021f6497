import { afterEach, describe, expect, test } from 'vitest';
import { type AnyStateNode, type AnyTransitionDefinition, fromCallback } from 'xstate';
import { getAdjacencyMap, getShortestPaths } from 'xstate/graph';
import { needsOf } from '../../machines/permits.ts';
import type { SupervisorEvent } from '../../machines/protocol.ts';
import {
  room,
  type SupervisorInput,
  type SupervisorSnapshot,
  supervisorMachine,
} from '../../machines/supervisor.ts';
import { claimOf, limits, liveSupervisor, now, progressFrom, services, stopAll } from './harness.ts';

afterEach(stopAll);

/** One permit, two children, three symbols: somebody waits and somebody is refused. Another cluster has a ceiling. */
const free = { depth: 2, concurrency: 1, prefetch: 1, childrenMax: 2, clusterConcurrency: null };
const bounded = { ...free, clusterConcurrency: 5 };
const symbols = ['A', 'B', 'C'];
type Event = Parameters<typeof supervisorMachine.getTransitionData>[1];
type Step = { event: Event; state: SupervisorSnapshot };

const events: Event[] = [
  ...symbols.flatMap((symbol): Event[] => [
    { type: 'claim.taken', claim: claimOf(symbol), progress: progressFrom(), limits },
    { type: 'claim.lost', symbol },
    { type: 'permit.requested', symbol },
    { type: 'permit.released', symbol },
    { type: 'ceiling.granted', symbol },
    { type: 'job.ended', symbol },
    { type: 'job.settled', symbol },
    { type: 'job.cancel', symbol },
    { type: `xstate.error.actor.${symbol}`, actorId: symbol, error: new Error('a mistake of ours') },
    { type: `xstate.done.actor.${symbol}`, actorId: symbol, output: undefined },
  ]),
  // A child that resumes in its backoff waits for nothing.
  {
    type: 'claim.taken',
    claim: claimOf('A'),
    progress: progressFrom({ status: 'processing', retryAt: now }),
    limits,
  },
  { type: 'pause' },
  { type: 'resume' },
  { type: 'drain', graceMs: 1000 },
  { type: 'xstate.error.actor.claims', actorId: 'claims', error: new Error('a mistake of ours') },
  { type: 'xstate.error.actor.ceiling', actorId: 'ceiling', error: new Error('a mistake of ours') },
  { type: 'xstate.after.grace.supervisor.draining' } as never,
];
const optionsFor = (input: SupervisorInput) => ({
  input,
  events,
  serializeState: ({ value, context }: SupervisorSnapshot) => {
    const { children, permits, asking, waiting, paused, announcedRoom, fault, graceMs } = context;
    const living = children.map(({ symbol }) => symbol);
    return JSON.stringify([value, living, permits, asking, waiting, paused, announcedRoom, fault, graceMs]);
  },
  filterEvents: (snapshot: SupervisorSnapshot, event: Event) => snapshot.can(event),
  limit: 100_000,
});
interface Reached {
  state: SupervisorSnapshot;
  transitions: Record<string, Step>;
}
const reachedUnder = (input: SupervisorInput) =>
  Object.values(getAdjacencyMap(supervisorMachine, optionsFor(input)) as unknown as Record<string, Reached>);
const reached = [free, bounded].flatMap(reachedUnder);
const edges = reached.flatMap(({ state, transitions }) =>
  Object.values(transitions).map(({ event, state: next }) => ({ state, event, next })),
);

describe('every path through the supervisor', () => {
  test('reaches every state and takes every transition that the chart draws', () => {
    const states = Object.values<AnyStateNode>(supervisorMachine.root.states);
    expect(new Set(reached.map(({ state }) => state.value))).toEqual(new Set(states.map(({ key }) => key)));
    const taken = new Set<AnyTransitionDefinition>(
      edges.flatMap(({ state, event }) => supervisorMachine.getTransitionData(state, event)),
    );
    const drawn = [supervisorMachine.root as AnyStateNode, ...states].flatMap((node) =>
      [...node.transitions.values()].flat(),
    );
    expect(drawn.filter((transition) => !taken.has(transition)).map(({ eventType }) => eventType)).toEqual(
      [],
    );
    expect(reached.length).toBeGreaterThan(20);
  });

  test('holds, in every state, at most as many permits as the concurrency, and none free while somebody waits', () => {
    for (const { state } of reached) {
      const { permits, asking, waiting, paused, children, concurrency, announcedRoom } = state.context;
      const living = children.map(({ symbol }) => symbol);
      const named = [...permits, ...asking, ...waiting];
      expect(permits.length + asking.length).toBeLessThanOrEqual(concurrency);
      expect(new Set(named).size).toBe(named.length);
      for (const symbol of named) expect(living).toContain(symbol);
      expect(
        Object.keys(state.children)
          .filter((id) => !services.has(id))
          .sort(),
      ).toEqual([...living].sort());
      if (state.value !== 'accepting') continue;
      const used = permits.length + asking.length;
      expect(paused || used === concurrency || waiting.length === 0).toBe(true);
      expect(paused && asking.length > 0).toBe(false);
      expect(state.context.needs).toEqual(needsOf(state.context));
      expect(announcedRoom).toBe(room(state.context));
    }
  });

  test('drains from everywhere, and leaves draining only for drained', () => {
    for (const { state, event, next } of edges) {
      if (state.value === 'draining') expect(['draining', 'drained']).toContain(next.value);
      if (state.value === 'accepting' && event.type === 'drain') expect(next.value).not.toBe('accepting');
    }
    const drained = reached.filter(({ state }) => state.value === 'drained');
    for (const { state } of drained)
      expect(state.context).toMatchObject({ children: [], permits: [], asking: [], waiting: [] });
  });
});

describe('a live supervisor', () => {
  test('walks the same states, step by step, on every shortest path', () => {
    const quiet = fromCallback(() => {}) as never; // children that say nothing: the path says it for them
    const paths = [free, bounded].flatMap((input) => {
      const found = getShortestPaths(supervisorMachine, optionsFor(input));
      return found.map(({ steps }) => ({ input, steps }));
    });
    for (const { input, steps } of paths) {
      const { supervisor, clock, symbols: living } = liveSupervisor(input, { jobs: quiet });
      for (const { event, state } of steps.slice(1)) {
        if (event.type.startsWith('xstate.after')) clock.increment(10_000);
        else supervisor.send(event as SupervisorEvent);
        expect(supervisor.getSnapshot().value).toEqual(state.value);
        expect(supervisor.getSnapshot().context).toEqual(state.context);
        expect(living().sort()).toEqual(state.context.children.map(({ symbol }) => symbol).sort());
      }
      stopAll();
    }
    expect(paths.length).toBe(reached.length);
  });
});
