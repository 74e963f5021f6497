import { describe, expect, test } from 'vitest';
import type { AppError } from '../../src/kernel/errors.ts';
import type {
  History,
  Instrument,
  MarketDataProvider,
  ProviderName,
  Verdict,
} from '../../src/market/provider.ts';
import type { ProviderEvent } from '../../src/market/provider-calls.ts';
import { failures } from '../../src/market/provider-failures.ts';
import { withFallback } from '../../src/market/provider-fallback.ts';

const now = Date.parse('2026-07-31T22:00:00Z');
const clock = { now: () => now };
const request = { symbol: 'AAPL', from: '2025-07-31', to: '2026-07-31' };
const retryAt = now + 60_000;
const instrument: Instrument = {
  symbol: 'AAPL',
  name: null,
  type: 'EQUITY',
  currency: 'USD',
  exchange: null,
  timeZone: 'America/New_York',
  sessionEnd: '16:00',
};
const valid: Verdict = { symbol: 'AAPL', verdict: 'valid', instrument };
const invalid = (reason: string): Verdict => ({ symbol: 'AAPL', verdict: 'invalid', reason });
const unverifiable = (reason: string): Verdict => ({
  symbol: 'AAPL',
  verdict: 'unverifiable',
  reason,
  retryAt,
});

const outage = (provider: ProviderName) =>
  failures.unavailable({ provider, what: 'answered with status 500' });
const notFound = (provider: ProviderName) => failures.notFound({ provider, symbol: 'AAPL' });
const noPrices = failures.noPriceData({ symbol: 'AAPL', bars: 0 });
const delisted = failures.delisted({
  symbol: 'AAPL',
  lastClose: '1',
  lastDate: '2024-01-02',
  currency: 'USD',
});

/** A provider that answers the one symbol with a verdict, and its history with a failure or prices of its own. */
function provider(
  name: ProviderName,
  answer: { verdict?: Verdict | AppError; failure?: Error; currency?: null },
) {
  const asked: string[] = [];
  const made: MarketDataProvider = {
    name,
    async lookup(symbols) {
      asked.push(...symbols);
      const { verdict } = answer;
      if (verdict instanceof Error) throw verdict;
      return symbols.map((symbol) => ({ ...verdict!, symbol }));
    },
    async history() {
      if (answer.failure) throw answer.failure;
      const { currency = 'USD' } = answer;
      const told = { ...instrument, currency };
      return { provider: name, instrument: told, bars: [], actions: [] } satisfies History;
    },
  };
  return Object.assign(made, { asked });
}

describe('verdicts of several providers', () => {
  test.each<[string, (Verdict | AppError)[], Partial<Verdict>]>([
    ['valid where one says so', [invalid('A'), valid], { verdict: 'valid' }],
    ['valid although the first has an outage', [outage('yahoo'), valid], { verdict: 'valid' }],
    ['invalid where all say so', [invalid('A'), invalid('B')], { verdict: 'invalid', reason: 'A; B' }],
    [
      'unverifiable where one cannot tell',
      [unverifiable('A'), invalid('B')],
      { verdict: 'unverifiable', retryAt },
    ],
    [
      'unverifiable whoever cannot tell',
      [invalid('A'), unverifiable('B')],
      { verdict: 'unverifiable', retryAt },
    ],
  ])('are %s', async (_, [first, second], expected) => {
    const providers = [provider('yahoo', { verdict: first! }), provider('files', { verdict: second! })];
    expect(await withFallback(providers, { clock }).lookup(['AAPL'])).toMatchObject([expected]);
  });

  test('ask the next one only for what the first does not vouch for', async () => {
    const [yahoo, files] = [provider('yahoo', { verdict: valid }), provider('files', { verdict: valid })];
    const both = withFallback([yahoo, files], { clock });
    expect(await both.lookup(['MSFT', 'AAPL', 'MSFT'])).toHaveLength(3);
    expect([yahoo.asked, files.asked]).toEqual([['MSFT', 'AAPL'], []]);
  });
});

describe('a history of several providers', () => {
  test('comes from the first that has it, and whoever asked is told who was passed over, and why', async () => {
    const told: ProviderEvent[] = [];
    const counted: ProviderEvent[] = [];
    const both = withFallback([provider('yahoo', { failure: outage('yahoo') }), provider('files', {})], {
      clock,
      observe: () => (event) => told.push(event),
      onFallback: (event) => counted.push(event),
    });
    expect(await both.history(request)).toMatchObject({ provider: 'files' });
    const event = { kind: 'fallback', from: 'yahoo', to: 'files', code: 'provider_unavailable', at: now };
    expect(told).toEqual([{ ...event, message: 'Yahoo Finance answered with status 500' }]);
    expect(counted).toEqual(told);
  });

  test.each<[string, Error[], Error]>([
    ['one that may pass before one that will not', [notFound('yahoo'), outage('files')], outage('files')],
    ['the first of those that may pass', [outage('yahoo'), outage('files')], outage('yahoo')],
    ['no prices before no such symbol', [notFound('yahoo'), noPrices], noPrices],
    ['what is known of a dead symbol before all', [delisted, noPrices], delisted],
  ])('that nobody has fails with %s', async (_, [first, second], expected) => {
    const providers = [provider('yahoo', { failure: first! }), provider('files', { failure: second! })];
    await expect(withFallback(providers, { clock }).history(request)).rejects.toMatchObject({
      code: (expected as AppError).code,
      message: expected.message,
    });
  });

  test('without a currency stands in for none whose currency is known, and else is taken', async () => {
    const told: ProviderEvent[] = [];
    const silent = provider('files', { currency: null });
    const three = withFallback(
      [provider('yahoo', { failure: noPrices }), silent, provider('simulated', {})],
      {
        clock,
        observe: () => (event) => told.push(event),
      },
    );
    expect(await three.history({ ...request, currency: 'GBP' })).toMatchObject({ provider: 'simulated' });
    const message = 'unusable data for AAPL: expected prices in GBP, got: prices without a currency';
    expect(told).toMatchObject([
      { from: 'yahoo', code: 'no_price_data' },
      { from: 'files', to: 'simulated', code: 'unusable_data', message },
    ]);
    const unknown = await three.history({ ...request, currency: null });
    expect(unknown).toMatchObject({ provider: 'files', instrument: { currency: null } });
  });

  test('is not asked for any further once its job is cancelled, nor after a mistake of ours', async () => {
    const told: ProviderEvent[] = [];
    const observe = () => (event: ProviderEvent) => told.push(event);
    const signal = AbortSignal.abort(new Error('cancelled'));
    for (const failure of [signal.reason as Error, new TypeError('a bug')]) {
      const both = withFallback([provider('yahoo', { failure }), provider('files', {})], { clock, observe });
      await expect(both.history({ ...request, ...(failure === signal.reason && { signal }) })).rejects.toBe(
        failure,
      );
    }
    expect(told).toEqual([]);
  });
});
