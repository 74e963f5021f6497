import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { AppError } from '../../../src/kernel/errors.ts';
import { providerGate } from '../../../src/market/provider-gate.client.ts';
import { yahooFetch } from '../../../src/market/yahoo/yahoo.fetch.ts';
import { TestClock } from '../../support/clock.ts';
import { now, paths, patient, started, stopAll, year } from '../../support/standin-yahoo/fixture.ts';

/** Stands at `now`, but deadlines pass in real time. */
const impatient = {
  now: () => now,
  sleepUntil: (until: number, signal?: AbortSignal) => setTimeout(until - now, undefined, { signal }),
};

afterEach(stopAll);
afterEach(() => {
  vi.restoreAllMocks();
});

describe('failures, classified where they arise', () => {
  test.each([
    ['500', 'provider_unavailable', true],
    ['html', 'provider_unavailable', true],
    ['cut', 'provider_unavailable', true],
    ['401', 'provider_unavailable', true],
    ['404', 'symbol_not_found', false],
    ['400', 'no_price_data', false],
    ['redirect', 'provider_unavailable', true],
    ['empty', 'no_price_data', false],
    ['nulls', 'no_price_data', false],
  ] as const)('%s is %s', async (kind, code, retryable) => {
    const { provider } = await started({ faults: [{ match: '/chart/AAPL', kind }] });
    await expect(provider.history({ symbol: 'AAPL', ...year })).rejects.toMatchObject({
      name: 'AppError',
      code,
      retryable,
    });
  });

  test.each([
    ['120', now + 120_000],
    ['Fri, 31 Jul 2026 22:05:00 GMT', now + 300_000],
    ['Fri, 31 Jul 2026 21:00:00 GMT', now],
    ['soon', now + 60_000],
    ['999999999999', now + 3_600_000],
    [undefined, now + 60_000],
  ])('429 with Retry-After %s waits until %d', async (retryAfter, retryAt) => {
    const fault = { match: '/chart/', kind: '429', ...(retryAfter && { retryAfter }) } as const;
    const { provider } = await started({ faults: [fault] });
    await expect(provider.history({ symbol: 'AAPL', ...year })).rejects.toMatchObject({
      code: 'provider_throttled',
      retryable: true,
      retryAt,
    });
  });

  test('pauses grow while Yahoo goes on to throttle, and are short again once it has answered', async () => {
    const clock = new TestClock(now);
    const fault = { match: '/chart/', kind: '429' } as const;
    const { yahoo, provider } = await started({ faults: [fault] }, { clock });
    const pauses: number[] = [];
    const ask = () => provider.history({ symbol: 'AAPL', ...year });
    for (let n = 0; n < 6; n += 1) {
      // Two at once are one pause: the second was sent before the first was answered.
      const errors = await Promise.all(
        [ask(), ask()].map((asked) => asked.catch((error: AppError) => error)),
      );
      const until = Math.max(...errors.map((error) => (error as AppError).retryAt ?? 0));
      pauses.push((until - clock.now()) / 1000);
      await clock.advance(until - clock.now());
    }
    expect(pauses).toEqual([60, 120, 240, 480, 900, 900]);
    yahoo.setFaults([{ ...fault, match: 'MSFT' }]);
    await ask();
    const error = await provider.history({ symbol: 'MSFT', ...year }).catch((reason: AppError) => reason);
    expect(error).toMatchObject({ code: 'provider_throttled', retryAt: clock.now() + 60_000 });
  });

  test('the deadline ends an answer that never comes', async () => {
    const faults = [{ match: '/chart/', kind: 'timeout' as const }];
    const { provider } = await started({ faults }, { clock: impatient, deadlineMs: 50 });
    await expect(provider.history({ symbol: 'AAPL', ...year })).rejects.toMatchObject({
      code: 'provider_timeout',
      retryable: true,
      message: 'Yahoo Finance did not answer in time (50 ms)',
    });
  });

  test('the deadline ends an answer whose body stops half-way', async () => {
    const passes = Promise.withResolvers<void>();
    const ended = vi.fn();
    const clock = {
      now: () => now,
      sleepUntil: (_: number, signal?: AbortSignal) => {
        signal?.addEventListener('abort', ended);
        return passes.promise;
      },
    };
    const faults = [{ match: '/chart/', kind: 'slow' as const }];
    const { provider } = await started({ faults }, { clock });
    const real = globalThis.fetch;
    vi.spyOn(globalThis, 'fetch').mockImplementationOnce(async (...args) => {
      const response = await real(...args);
      // The headers are here, and the deadline must still be on when the caller has begun to read.
      setImmediate(() => {
        if (ended.mock.calls.length === 0) passes.resolve();
      });
      return response;
    });
    await expect(provider.history({ symbol: 'AAPL', ...year })).rejects.toMatchObject({
      code: 'provider_timeout',
    });
  });

  test('a range before the first trade is no price data', async () => {
    const { provider } = await started();
    const early = { from: '2020-01-01', to: '2020-12-31' };
    await expect(provider.history({ symbol: 'AAPL', ...early })).rejects.toMatchObject({
      code: 'no_price_data',
    });
  });

  test('a server that is not there is unavailable, with the cause for the log', async () => {
    const { yahoo, provider } = await started();
    await yahoo.close();
    await expect(provider.history({ symbol: 'AAPL', ...year })).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: 'Yahoo Finance could not be reached',
      cause: expect.any(Error),
    });
  });

  test.each([
    'null',
    '[]',
    '{}',
    '{"chart":null}',
    '{"chart":{"result":null}}',
    '{"chart":{"result":[]}}',
    '{"chart":{"result":[{"meta":"none","indicators":{}}]}}',
  ])('an answer of %s is an outage, not data', async (body) => {
    const recordings = [{ path: '/v8/finance/chart/AAPL', status: 200, bodyJson: JSON.parse(body) }];
    const { provider } = await started({ recordings });
    await expect(provider.history({ symbol: 'AAPL', ...year })).rejects.toMatchObject({
      code: 'provider_unavailable',
      retryable: true,
    });
  });

  test.each([
    [302, 'a redirect'],
    [403, 'a wall'],
    [404, 'a 404 that is not in Yahoo’s words'],
  ])('%d, %s, is an outage, not a verdict on the symbol', async (status) => {
    const recordings = [{ path: '/v8/finance/chart/AAPL', status, bodyJson: 'elsewhere' }];
    const { provider } = await started({ recordings });
    await expect(provider.history({ symbol: 'AAPL', ...year })).rejects.toMatchObject({
      code: 'provider_unavailable',
      details: { status },
    });
  });

  test('a redirect to a host that is not Yahoo’s is not followed', async () => {
    const fetch = yahooFetch({ clock: patient, gate: providerGate({ clock: patient }) });
    for (const url of [
      'https://example.com/quote/AAPL',
      'http://finance.yahoo.com/',
      'https://yahoo.com.example/',
    ]) {
      await expect(fetch(url)).rejects.toMatchObject({ code: 'provider_unavailable', retryable: true });
    }
  });
});

describe('the limiter', () => {
  test('never has more requests in flight than it may', async () => {
    let inFlight = 0;
    let most = 0;
    const { provider } = await started({}, { concurrency: 2 });
    const real = globalThis.fetch;
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (...args) => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      const response = await real(...args);
      const body = await response.text();
      inFlight -= 1;
      return new Response(body, response);
    });
    const symbols = ['AAPL', 'MSFT', 'SPY', 'TLT', 'IWM', 'QUAL', 'VOD.L'];
    await Promise.all(symbols.map((symbol) => provider.history({ symbol, ...year })));
    expect(most).toBe(2);
  });

  test('a slot is taken until the last byte of the body', async () => {
    const met = Promise.withResolvers<unknown>();
    const faults = [{ match: 'SLOW', kind: 'slow' as const }];
    const { yahoo, provider } = await started({ faults, onFault: met.resolve }, { concurrency: 1 });
    const slow = new AbortController();
    const first = provider.history({ symbol: 'SLOW', ...year, signal: slow.signal });
    const second = provider.history({ symbol: 'AAPL', ...year });
    await met.promise;
    // Two round trips to the same server later, the headers and half of the body have long arrived.
    for (let trip = 0; trip < 2; trip += 1) {
      const seen = await (await fetch(`${yahoo.url}/__control/requests`)).json();
      expect(seen).toMatchObject([{ path: expect.stringContaining('/SLOW?') }]);
    }
    slow.abort();
    await expect(first).rejects.toThrow();
    expect((await second).bars).toHaveLength(262);
  });

  test('a request that waits for its turn is given up at once when its job is cancelled', async () => {
    const met = Promise.withResolvers<unknown>();
    const faults = [{ match: 'SLOW', kind: 'timeout' as const }];
    const { yahoo, provider } = await started({ faults, onFault: met.resolve }, { concurrency: 1 });
    const reason = new Error('cancelled');
    const slow = new AbortController();
    const queued = new AbortController();
    const first = provider.history({ symbol: 'SLOW', ...year, signal: slow.signal });
    const second = provider.history({ symbol: 'AAPL', ...year, signal: queued.signal });
    const third = provider.history({ symbol: 'MSFT', ...year });
    await met.promise;
    queued.abort(reason);
    await expect(second).rejects.toBe(reason);
    slow.abort(reason);
    await expect(first).rejects.toBe(reason);
    expect((await third).bars).toHaveLength(262);
    expect(paths(yahoo).map((path) => path.split('/').at(-1))).toEqual(['SLOW', 'MSFT']);
  });

  test('the time in the queue is not on the deadline', async () => {
    const starts: number[] = [];
    const counting = {
      now: () => now,
      sleepUntil: (until: number, signal?: AbortSignal) => {
        starts.push(until - now);
        return patient.sleepUntil(until, signal);
      },
    };
    const met = Promise.withResolvers<unknown>();
    const { provider } = await started(
      { faults: [{ match: 'SLOW', kind: 'timeout' }], onFault: met.resolve },
      { concurrency: 1, clock: counting, deadlineMs: 5000 },
    );
    const slow = new AbortController();
    const first = provider.history({ symbol: 'SLOW', ...year, signal: slow.signal });
    const second = provider.history({ symbol: 'AAPL', ...year });
    await met.promise;
    expect(starts).toEqual([5000]); // only the request that is under way has a deadline
    slow.abort();
    await expect(first).rejects.toThrow();
    await second;
    expect(starts).toEqual([5000, 5000]);
  });

  test('one caller’s cancellation does not end the crumb that others wait for', async () => {
    const { provider } = await started();
    const controller = new AbortController();
    const first = provider.lookup(['AAPL'], { signal: controller.signal });
    const second = provider.lookup(['MSFT']);
    controller.abort(new Error('cancelled'));
    await expect(first).rejects.toThrow('cancelled');
    expect(await second).toMatchObject([{ verdict: 'valid' }]);
  });

  test('keeps the interval between two starts', async () => {
    const { provider } = await started({}, { intervalMs: 40, concurrency: 4 });
    const starts: number[] = [];
    const real = globalThis.fetch;
    vi.spyOn(globalThis, 'fetch').mockImplementation((...args) => {
      starts.push(performance.now());
      return real(...args);
    });
    await Promise.all(['AAPL', 'MSFT', 'SPY'].map((symbol) => provider.history({ symbol, ...year })));
    const gaps = starts.slice(1).map((start, index) => start - starts[index]!);
    expect(gaps.every((gap) => gap > 30)).toBe(true);
  });
});
