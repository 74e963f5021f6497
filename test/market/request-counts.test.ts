import { expect, test } from 'vitest';
import { AppError } from '../../src/kernel/errors.ts';
import type { MarketDataProvider } from '../../src/market/provider.ts';
import { countRequests, type ProviderCall } from '../../src/market/request-counts.ts';
import { TestClock } from '../support/clock.ts';

test('tells of each call how long it took and what came of it', async () => {
  const clock = new TestClock();
  const calls: ProviderCall[] = [];
  let failure: unknown = null;
  const slow = async <T>(answer: T): Promise<T> => {
    await clock.advance(1500);
    if (failure) throw failure;
    return answer;
  };
  const unverifiable = { symbol: 'LOST', verdict: 'unverifiable', reason: 'timeout' } as const;
  const provider = countRequests(
    {
      name: 'simulated',
      lookup: (symbols) => slow(symbols.includes('LOST') ? [unverifiable] : []),
      history: () => slow({} as never),
    } as MarketDataProvider,
    { clock, onCall: (call) => calls.push(call) },
  );
  const request = { symbol: 'AAPL', from: '2026-01-02', to: '2026-01-05' };

  await provider.lookup(['AAPL']);
  await provider.lookup(['AAPL', 'LOST']);
  await provider.history(request);
  failure = new AppError('provider_timeout', 'It took too long.', { retryable: true });
  await expect(provider.history(request)).rejects.toBe(failure);
  failure = new TypeError('our own');
  await expect(provider.history(request)).rejects.toBe(failure);
  await expect(provider.history({ ...request, signal: AbortSignal.abort() })).rejects.toBe(failure);

  const seconds = 1.5;
  expect(calls).toEqual([
    { kind: 'lookup', result: 'ok', seconds },
    { kind: 'lookup', result: 'unverifiable', seconds },
    { kind: 'history', result: 'ok', seconds },
    { kind: 'history', result: 'provider_timeout', seconds },
    { kind: 'history', result: 'internal_error', seconds },
    { kind: 'history', result: 'aborted', seconds },
  ]);
});

test('names the first symbols, however many are made up', async () => {
  const market = { name: 'simulated', lookup: async () => [] } as unknown as MarketDataProvider;
  const provider = countRequests(market);
  for (let batch = 0; batch < 3; batch += 1)
    await provider.lookup(Array.from({ length: 50_000 }, (_, n) => `X${batch}${n}`));
  await provider.lookup(['X00', 'LATE']);
  const { lookup, lookups } = provider.requests();
  expect([lookup, lookups.X00, lookups.LATE]).toEqual([4, 2, undefined]);
  expect(Object.keys(lookups)).toHaveLength(100_000);
});
