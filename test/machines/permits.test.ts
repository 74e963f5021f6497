import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  areSameNeeds,
  childOf,
  needsOf,
  nextHolders,
  withChild,
  withoutChild,
} from '../../machines/permits.ts';
import { room } from '../../machines/supervisor.ts';
import { claimOf, random } from './harness.ts';

const symbolsOf = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const held = (holding: number, waiting: number, backingOff = 0) => {
  const permits = symbolsOf('P', holding);
  const queue = symbolsOf('W', waiting);
  return {
    permits,
    asking: [] as string[],
    waiting: queue,
    children: [...permits, ...queue, ...symbolsOf('B', backingOff)].map((symbol) => claimOf(symbol)),
  };
};
const capacity = {
  concurrency: 3,
  clusterConcurrency: null as number | null,
  prefetch: 0,
  depth: 50,
  childrenMax: 200,
  paused: false,
};
/** With symbols for which the cluster is asked. */
const asking = (count: number, given: ReturnType<typeof held>) => {
  const symbols = symbolsOf('A', count);
  return { ...given, asking: symbols, children: [...given.children, ...symbols.map((one) => claimOf(one))] };
};

describe('room', () => {
  test.each([
    ['all permits of an idle node', { ...held(0, 0) }, 3],
    ['the free permits', { ...held(2, 0) }, 1],
    ['none while all run', { ...held(3, 0) }, 0],
    ['none, not less, while children wait', { ...held(3, 4) }, 0],
    ['the free permits that nobody waits for', { ...held(1, 1) }, 1],
    ['the free permits, whatever backs off', { ...held(2, 0, 20) }, 1],
    ['what may be held ahead, too', { ...held(3, 0), prefetch: 50 }, 47],
    ['what may be held ahead less what is', { ...held(3, 10), prefetch: 12 }, 2],
    ['no more than the depth allows', { ...held(0, 0), prefetch: 50, depth: 10 }, 10],
    ['no more children than the cap', { ...held(3, 0, 195), prefetch: 50, depth: 1000 }, 2],
    ['none while paused', { ...held(0, 2), prefetch: 50, paused: true }, 0],
    ['the permits that are neither held nor kept for who asks the cluster', asking(1, held(1, 0)), 1],
    ['no more than the cluster has in all', { ...held(0, 0), clusterConcurrency: 2 }, 2],
    ['none beyond the cap', { ...held(3, 0, 300), prefetch: 50, depth: 1000 }, 0],
  ])('is %s', (_, given, expected) => {
    expect(room({ ...capacity, ...given })).toBe(expected);
  });

  test('is a whole number from 0 to the places left, and shrinks with each child that waits', () => {
    const nat = fc.nat({ max: 20 });
    const many = fc.nat({ max: 100 });
    fc.assert(
      fc.property(
        nat,
        nat,
        nat,
        fc.record({
          concurrency: nat,
          clusterConcurrency: fc.option(nat),
          prefetch: nat,
          depth: many,
          childrenMax: many,
          paused: fc.constant(false),
        }),
        (p, w, b, given) => {
          const context = { ...given, ...held(p, w, b) };
          const free = room(context);
          expect(Number.isSafeInteger(free)).toBe(true);
          expect(free).toBeGreaterThanOrEqual(0);
          expect(free).toBeLessThanOrEqual(Math.max(0, Math.min(given.depth, given.childrenMax) - p - w - b));
          expect(free).toBeLessThanOrEqual(Math.max(0, given.concurrency - p + given.prefetch));
          expect(free).toBeLessThanOrEqual(
            Math.max(0, (given.clusterConcurrency ?? 100) - p + given.prefetch),
          );
          const more = withChild(context, claimOf('NEW'), { asks: true });
          expect(room({ ...context, ...more })).toBe(Math.max(0, free - 1));
        },
      ),
      random(300, 20_000),
    );
  });
});

describe('nextHolders', () => {
  test('are the longest-waiting symbols, as many as there are free permits', () => {
    expect(nextHolders({ ...capacity, ...held(1, 5) })).toEqual(['W0', 'W1']);
    expect(nextHolders({ ...capacity, ...held(3, 5) })).toEqual([]);
    expect(nextHolders({ ...capacity, ...held(5, 5) })).toEqual([]);
    expect(nextHolders({ ...capacity, ...held(1, 5), paused: true })).toEqual([]);
    expect(nextHolders({ ...capacity, ...asking(1, held(1, 5)) })).toEqual(['W0']);
    expect(nextHolders({ ...capacity, ...held(1, 5), clusterConcurrency: 2 })).toEqual(['W0']);
  });

  test('are symbols that a user waits for before refreshes', () => {
    const waiting = held(1, 4);
    const children = waiting.children.map((claim) =>
      claim.symbol === 'W0' || claim.symbol === 'W2' ? { ...claim, reason: 'refresh' as const } : claim,
    );
    expect(nextHolders({ ...capacity, ...waiting, children })).toEqual(['W1', 'W3']);
    expect(nextHolders({ ...capacity, concurrency: 4, ...waiting, children })).toEqual(['W1', 'W3', 'W0']);
  });
});

describe('childOf', () => {
  const context = { ...held(0, 0), children: [claimOf('AAPL', 7)] };
  const find = (address: Parameters<typeof childOf>[1]) => childOf(context, address)?.symbol;

  test('finds a child by its symbol', () => {
    expect(find({ symbol: 'AAPL' })).toBe('AAPL');
    expect(find({ symbol: 'MSFT' })).toBeUndefined();
  });

  test('finds none when the job or claim is that of an earlier child', () => {
    expect(find({ symbol: 'AAPL', jobId: 'job-AAPL', epoch: 7 })).toBe('AAPL');
    expect(find({ symbol: 'AAPL', epoch: 6 })).toBeUndefined();
    expect(find({ symbol: 'AAPL', jobId: 'another', epoch: 7 })).toBeUndefined();
  });
});

describe('needsOf', () => {
  test('is empty without a ceiling, else has the holders and the requesters', () => {
    const given = { ...capacity, ...asking(1, held(1, 1)) };
    expect(needsOf(given)).toEqual({ held: [], wanted: [] });
    const needs = needsOf({ ...given, clusterConcurrency: 5 });
    expect(needs).toEqual({ held: [claimOf('P0')], wanted: [claimOf('A0')] });
  });

  test('changes when a claim is replaced by another of the same symbol', () => {
    const [one, two] = [claimOf('AAPL', 1), claimOf('AAPL', 2)];
    expect(areSameNeeds({ held: [one], wanted: [two] }, { held: [one], wanted: [two] })).toBe(true);
    expect(areSameNeeds({ held: [one], wanted: [] }, { held: [two], wanted: [] })).toBe(false);
    expect(areSameNeeds({ held: [one], wanted: [] }, { held: [], wanted: [one] })).toBe(false);
  });
});

describe('withoutChild', () => {
  test('removes the symbol everywhere', () => {
    expect(withoutChild(held(1, 1), 'P0')).toEqual({ ...held(0, 1) });
    expect(withoutChild(held(1, 1), 'W0')).toEqual({ ...held(1, 0) });
    expect(withoutChild(asking(1, held(1, 0)), 'A0')).toEqual({ ...held(1, 0) });
  });
});
