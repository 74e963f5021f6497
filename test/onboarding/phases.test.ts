import { describe, expect, test } from 'vitest';
import type { PhaseInput } from '../../machines/protocol.ts';
import { AppError } from '../../src/kernel/errors.ts';
import { proxies as proxySymbols } from '../../src/market/proxy-set.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import type { Effect } from '../../src/onboarding/job/ports.ts';
import { type PhasePorts, phaseWork } from '../../src/onboarding/phases.ts';
import { TestClock } from '../support/clock.ts';
import { takenOf } from './fixture.ts';

const version = '2026-07-31';

/** The phases of a node whose database never answers; `inMemory`: whether its proxies are in memory. */
async function startPhases({ inMemory }: { inMemory: boolean }) {
  const clock = new TestClock('2026-07-31T22:00:00Z');
  const provider = simulatedProvider({ clock });
  const range = { from: '2025-07-31', to: version };
  const closes = await Promise.all(
    proxySymbols.map(async (symbol) => {
      const { bars } = await provider.history({ symbol, ...range });
      return [
        symbol,
        { dates: bars.map(({ date }) => date), closes: bars.map(({ adjustedClose }) => adjustedClose) },
      ];
    }),
  );
  const set = { version, closes: Object.fromEntries(closes) };
  const asked: string[] = [];
  const never = (name: string) => () => {
    asked.push(name);
    return new Promise<never>(() => {});
  };
  const work = phaseWork({
    provider,
    clock,
    proxies: {
      currentVersion: () => version,
      inMemory: (wanted: string) => (inMemory && wanted === version ? set : null),
      current: never('proxies'),
      version: never('proxies'),
    },
    universe: { known: async () => ({ instrument: null, held: null, rated: null }) },
    prices: { closes: never('prices') },
    log: (error: unknown) => expect.unreachable(String(error)),
  } as unknown as PhasePorts);
  const left: Effect[] = [];
  const commits = {
    durable: async () => {},
    write: never('write'),
    stage: (effect: Effect) => void left.push(effect),
  };
  const input = (results: PhaseInput['results']) => ({ claim: takenOf('AAPL').claim, results }) as PhaseInput;
  const { signal } = new AbortController();
  const fetched = await work.fetch(input({}), signal, commits);
  return {
    left,
    asked,
    /** What is asked while the transition that led here is not durable, and what then. */
    async askedAround() {
      const durable = Promise.withResolvers<void>();
      const waited = Promise.withResolvers<void>();
      void this.measure(() => {
        waited.resolve();
        return durable.promise;
      });
      await waited.promise;
      const before = [...asked];
      durable.resolve();
      await expect.poll(() => asked.length).toBeGreaterThan(before.length);
      return { before, after: asked };
    },
    measure: (durable: () => Promise<void>) =>
      work.factors(input(fetched.results), signal, { ...commits, durable }),
  };
}

describe('the factors phase', () => {
  test('does not wait for a commit when everything is in memory', async () => {
    const { measure, left, asked } = await startPhases({ inMemory: true });
    const { results } = await measure(() => new Promise(() => {}));
    expect(results).toMatchObject({ quality: 'full_history', calculationDate: version });
    expect(left.map(({ kind }) => kind)).toEqual(['series', 'exposures']);
    expect(asked).toEqual([]);
  });

  test('requests no proxies before the transition that started it is durable', async () => {
    const phases = await startPhases({ inMemory: false });
    expect(await phases.askedAround()).toEqual({ before: [], after: ['proxies'] });
  });

  test('does not treat a refused transition as missing proxies', async () => {
    const { measure, left } = await startPhases({ inMemory: false });
    const refused = new AppError('internal_error', 'expected transition 4, got: 5');
    await expect(measure(() => Promise.reject(refused))).rejects.toBe(refused);
    expect(left.map(({ kind }) => kind)).toEqual(['series']);
  });

  test('reads the fetched data from the database only when it is durable, after a resume', async () => {
    const phases = await startPhases({ inMemory: true });
    await phases.measure(() => Promise.resolve());
    expect(await phases.askedAround()).toEqual({ before: [], after: ['prices'] });
  });
});
