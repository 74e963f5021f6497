import { afterEach, describe, expect, test } from 'vitest';
import { AppError } from '../../src/kernel/errors.ts';
import type { MarketDataProvider, Verdict } from '../../src/market/provider.ts';
import { addDays, isWeekday, weekdaysBetween } from '../../src/market/sessions.ts';
import type { Fault } from '../../src/market/simulated/faults.ts';
import { simulatedBars } from '../../src/market/simulated/simulation.ts';

export interface ProviderSetting {
  /** Epoch milliseconds at which the provider's clock stands still. */
  now: number;
  /** What goes wrong, as in `SIMULATED_FAULTS`; a lookup's fault may hit every symbol of the same request. */
  faults: Fault[];
  /** True: no answer ever comes, and no deadline ends the wait. */
  hangs: boolean;
}

export interface ProviderFixture {
  provider: MarketDataProvider;
  /** Moves the provider's clock. */
  advance(ms: number): void;
  close(): Promise<void>;
}

const seed = 1;
// Friday 2026-07-31, 21:00 in London, 16:00 in New York (30 minutes before the session counts), Saturday in Tokyo.
const now = Date.parse('2026-07-31T20:00:00Z');
const year = { from: '2025-07-31', to: '2026-07-31' };

/**
 * What every provider promises, run on a provider that is fed by the simulated market with seed 1.
 *
 *     describeProvider('simulated', async ({ now, faults }) => ({ provider, advance, close }))
 */
export function describeProvider(
  name: string,
  make: (setting: ProviderSetting) => Promise<ProviderFixture>,
  { isRemote = true }: { isRemote?: boolean } = {},
): void {
  const open: ProviderFixture[] = [];
  const provided: Provided = async (setting = {}) => {
    const fixture = await make({ now, faults: [], hangs: false, ...setting });
    open.push(fixture);
    return Object.assign(fixture.provider, { advance: fixture.advance });
  };
  afterEach(async () => {
    await Promise.all(open.splice(0).map((fixture) => fixture.close()));
  });

  describe(`${name}: lookup`, () => {
    describeLookup(provided);
  });
  describe(`${name}: history`, () => {
    describeHistory(provided);
  });
  // What is read from a disk neither throttles nor keeps anybody waiting.
  if (!isRemote) return;
  describe(`${name}: trouble`, () => {
    describeTrouble(provided);
  });
}

type Provided = (
  setting?: Partial<ProviderSetting>,
) => Promise<MarketDataProvider & Pick<ProviderFixture, 'advance'>>;

function describeLookup(provided: Provided): void {
  test('answers each symbol asked for, in that order', async () => {
    const provider = await provided();
    const symbols = ['NOPE', 'AAPL', 'BRK-B', 'not a symbol', 'VOD.L', 'AAPL'];
    const verdicts = await provider.lookup(symbols);
    expect(verdicts.map(({ symbol, verdict }) => [symbol, verdict])).toEqual([
      ['NOPE', 'invalid'],
      ['AAPL', 'valid'],
      ['BRK-B', 'valid'],
      ['not a symbol', 'invalid'],
      ['VOD.L', 'valid'],
      ['AAPL', 'valid'],
    ]);
    expect(await provider.lookup([])).toEqual([]);
  });

  test.each([
    ['AAPL', 'EQUITY', 'USD', 'America/New_York', '16:00'],
    ['SPY', 'ETF', 'USD', 'America/New_York', '16:00'],
    ['VOD.L', 'EQUITY', 'GBP', 'Europe/London', '16:30'],
    ['SAP.DE', 'EQUITY', 'EUR', 'Europe/Berlin', '17:30'],
    ['7203.T', 'EQUITY', 'JPY', 'Asia/Tokyo', '15:30'],
    ['BTC-USD', 'CRYPTOCURRENCY', 'USD', 'UTC', '24:00'],
    ['^GSPC', 'INDEX', 'USD', 'America/New_York', '16:00'],
  ])('knows %s as %s in %s', async (symbol, type, currency, timeZone, sessionEnd) => {
    const [verdict] = await (await provided()).lookup([symbol]);
    expect(verdict).toMatchObject({
      verdict: 'valid',
      instrument: { symbol, type, currency, timeZone, sessionEnd, name: expect.any(String) },
    });
  });

  test('says why a symbol is invalid', async () => {
    const verdicts = await (await provided()).lookup(['NOPE1', 'A/B', '..', '']);
    expect(verdicts.map((one) => one.verdict)).toEqual(['invalid', 'invalid', 'invalid', 'invalid']);
    expect(verdicts.every((one) => one.verdict === 'invalid' && one.reason.length > 10)).toBe(true);
  });

  test('answers a portfolio of 250 symbols', async () => {
    const symbols = Array.from({ length: 250 }, (_, index) => `${index % 10 === 0 ? 'NOPE' : 'S'}${index}`);
    const verdicts = await (await provided()).lookup(symbols);
    expect(verdicts.map((one) => one.symbol)).toEqual(symbols);
    expect(verdicts.filter((one) => one.verdict === 'invalid')).toHaveLength(25);
    expect(verdicts.filter((one) => one.verdict === 'valid')).toHaveLength(225);
  });
}

function describeHistory(provided: Provided): void {
  test('is a year of the completed sessions, ascending, each once', async () => {
    const { bars, instrument } = await (await provided()).history({ symbol: 'AAPL', ...year });
    const dates = bars.map((bar) => bar.date);
    // New York's Friday is not complete yet.
    const expected = Array.from({ length: 365 }, (_, day) => addDays(year.from, day)).filter(isWeekday);
    expect(dates).toEqual(expected);
    expect(instrument).toMatchObject({ symbol: 'AAPL', currency: 'USD', type: 'EQUITY' });
  });

  test('holds the bars of the market, digit by digit', async () => {
    const { bars } = await (await provided()).history({ symbol: 'AAPL', ...year });
    const market = simulatedBars({ seed, symbol: 'AAPL', ...year, session: '2026-07-30' });
    expect(bars.map((bar) => bar.adjustedClose)).toEqual(market.map((bar) => bar.adjustedClose));
    expect(bars.map((bar) => bar.close)).toEqual(market.map((bar) => String(Number(bar.close))));
    expect(bars.map((bar) => bar.volume)).toEqual(market.map((bar) => bar.volume));
    expect(bars.map((bar) => bar.open)).toEqual(market.map((bar) => String(Number(bar.open))));
  });

  test('turns pence into pounds', async () => {
    const { bars, instrument } = await (await provided()).history({ symbol: 'VOD.L', ...year });
    const market = simulatedBars({ seed, symbol: 'VOD.L', ...year, session: '2026-07-31' });
    expect(instrument.currency).toBe('GBP');
    expect(bars.map((bar) => Number(bar.close) * 100)).toEqual(
      market.map((bar) => expect.closeTo(Number(bar.close), 6)),
    );
    expect(bars.at(-1)?.adjustedClose).toBeCloseTo(market.at(-1)!.adjustedClose / 100, 10);
  });

  test.each([
    ['VOD.L', '2026-07-31'],
    ['SAP.DE', '2026-07-31'],
    ['7203.T', '2026-07-31'],
    ['AAPL', '2026-07-30'],
    ['BTC-USD', '2026-07-30'],
  ])('ends for %s on %s, the last completed session of its own exchange', async (symbol, last) => {
    const { bars } = await (await provided()).history({ symbol, ...year });
    expect(bars.at(-1)?.date).toBe(last);
  });

  test('has every day of the week for what trades every day', async () => {
    const { bars } = await (await provided()).history({
      symbol: 'BTC-USD',
      from: '2026-07-01',
      to: '2026-07-14',
    });
    expect(bars).toHaveLength(14);
  });

  test('includes both ends of the range, and two ranges agree where they overlap', async () => {
    const provider = await provided();
    const july = await provider.history({ symbol: 'MSFT', from: '2026-07-01', to: '2026-07-28' });
    const late = await provider.history({ symbol: 'MSFT', from: '2026-07-15', to: '2026-07-30' });
    expect([july.bars.at(0)?.date, july.bars.at(-1)?.date]).toEqual(['2026-07-01', '2026-07-28']);
    const overlap = july.bars.filter((bar) => bar.date >= '2026-07-15');
    expect(overlap).toHaveLength(10);
    expect(late.bars.slice(0, 10)).toEqual(overlap);
  });

  test('is short for a symbol that is new', async () => {
    const { bars } = await (await provided()).history({ symbol: 'NEW13', ...year });
    expect(bars).toHaveLength(13);
    expect(bars.at(-1)?.date).toBe('2026-07-30');
  });

  test('reports a split, and prices already adjusted for it', async () => {
    const { actions, bars } = await (await provided()).history({ symbol: 'SPLIT', ...year });
    expect(actions).toEqual([
      { date: expect.stringMatching(/^2026-/), kind: 'split', numerator: 10, denominator: 1 },
    ]);
    expect(weekdaysBetween({ from: actions[0]!.date, to: '2026-07-30' })).toBe(100);
    const closes = bars.map((bar) => bar.adjustedClose);
    expect(closes.slice(1).every((close, index) => Math.abs(close / closes[index]! - 1) < 0.3)).toBe(true);
  });

  test('of an unknown symbol fails for good', async () => {
    const provider = await provided();
    for (const symbol of ['NOPE', 'A/B', '../x']) {
      await expect(provider.history({ symbol, ...year })).rejects.toMatchObject({
        code: 'symbol_not_found',
        retryable: false,
        message: expect.stringContaining(symbol),
      });
    }
  });

  test('of fewer than two bars is no price data', async () => {
    await expect((await provided()).history({ symbol: 'NEW1', ...year })).rejects.toMatchObject({
      code: 'no_price_data',
      retryable: false,
    });
  });
}

function describeTrouble(provided: Provided): void {
  const history = { symbol: 'AAPL', ...year };

  test.each([
    ['timeout', { code: 'provider_timeout', retryable: true, retryAt: undefined }],
    ['500', { code: 'provider_unavailable', retryable: true, retryAt: undefined }],
    ['429', { code: 'provider_throttled', retryable: true, retryAt: expect.any(Number) }],
    ['empty', { code: 'no_price_data', retryable: false, retryAt: undefined }],
  ] as const)('%s is classified once, and the next attempt is a new one', async (kind, expected) => {
    const provider = await provided({ faults: [{ symbol: 'AAPL', kind, count: 1 }] });
    const error = await provider.history(history).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject(expected);
    provider.advance(((error as AppError).retryAt ?? now) - now);
    expect((await provider.history({ ...history, symbol: 'MSFT' })).bars.length).toBeGreaterThan(250);
    expect((await provider.history(history)).bars.length).toBeGreaterThan(250);
  });

  test('a 429 names an instant that is still to come', async () => {
    const provider = await provided({ faults: [{ symbol: 'AAPL', kind: '429', count: 1 }] });
    const error: AppError = await provider.history(history).then(
      () => expect.unreachable(),
      (reason) => reason,
    );
    expect(error.retryAt).toBeGreaterThan(now);
  });

  test.each(['lookup-timeout', 'lookup-500', 'lookup-429'] as const)(
    '%s is not a verdict on the symbol',
    async (kind) => {
      const provider = await provided({ faults: [{ symbol: 'AAPL', kind, count: 1 }] });
      const [verdict] = await provider.lookup(['AAPL']);
      expect(verdict).toMatchObject({ symbol: 'AAPL', verdict: 'unverifiable', reason: expect.any(String) });
      const retryAt = (verdict as Extract<Verdict, { verdict: 'unverifiable' }>).retryAt;
      if (kind === 'lookup-429') expect(retryAt).toBeGreaterThan(now);
      else expect(retryAt).toBeUndefined();
      provider.advance((retryAt ?? now) - now);
      expect(await provider.lookup(['AAPL'])).toMatchObject([{ verdict: 'valid' }]);
    },
  );

  test('an aborted signal rejects with its reason, before and during a request', async () => {
    const provider = await provided({ hangs: true });
    const reason = new Error('the job was cancelled');
    const before = AbortSignal.abort(reason);
    await expect(provider.history({ ...history, signal: before })).rejects.toBe(reason);
    await expect(provider.lookup(['AAPL'], { signal: before })).rejects.toBe(reason);

    const controller = new AbortController();
    const pending = [
      provider.history({ ...history, signal: controller.signal }),
      provider.lookup(['AAPL'], { signal: controller.signal }),
    ];
    const settled = Promise.allSettled(pending);
    setImmediate(() => controller.abort(reason));
    expect(await settled).toEqual([
      { status: 'rejected', reason },
      { status: 'rejected', reason },
    ]);
  });
}
