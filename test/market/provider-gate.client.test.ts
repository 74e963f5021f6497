import { describe, expect, test } from 'vitest';
import type { AppError } from '../../src/kernel/errors.ts';
import { failures } from '../../src/market/provider-failures.ts';
import { type Gate, type GateOptions, providerGate } from '../../src/market/provider-gate.client.ts';
import { TestClock } from '../support/clock.ts';

const request = { provider: 'yahoo' } as const;
const outage = () =>
  failures.unavailable({ provider: 'yahoo', what: 'answered with status 500', status: 500 });
const gateAt = (options: Partial<GateOptions> = {}) => {
  const clock = new TestClock();
  return { clock, gate: providerGate({ clock, ...options }) };
};
const failing = (gate: Gate, error: Error) =>
  gate.pass(request, () => Promise.reject(error)).catch((reason: unknown) => reason);
const refused = (gate: Gate) =>
  gate.pass(request, () => Promise.reject(new Error('sent'))).catch((reason: unknown) => reason as AppError);

describe('the gate to a provider', () => {
  test('is closed by failures in a row, and says until when', async () => {
    const { clock, gate } = gateAt({ failuresMax: 3, pauseMs: 5000 });
    for (let n = 0; n < 3; n += 1)
      expect(await failing(gate, outage())).toMatchObject({ code: 'provider_unavailable' });
    const until = clock.now() + 5000;
    expect(gate.view().breaker).toEqual({ state: 'open', until, failures: 3 });
    expect(await refused(gate)).toMatchObject({ code: 'provider_paused', retryAt: until, retryable: true });
    await clock.advance(5000);
    expect(await gate.pass(request, async () => 'back')).toBe('back');
    expect(gate.view().breaker).toEqual({ state: 'closed', until: null, failures: 0 });
  });

  test('is closed by a single 429, for as long as that asks', async () => {
    const { clock, gate } = gateAt();
    const retryAt = clock.now() + 120_000;
    await failing(gate, failures.throttled({ provider: 'yahoo', retryAt }));
    expect(await refused(gate)).toMatchObject({ code: 'provider_paused', retryAt });
    await clock.advance(120_000);
    expect(await gate.pass(request, async () => 'back')).toBe('back');
  });

  test.each([
    ['a symbol that is not found', failures.notFound({ provider: 'yahoo', symbol: 'NOPE' })],
    ['a crumb that is refused', failures.unavailable({ provider: 'yahoo', what: 'said 401', status: 401 })],
  ])('is not closed by %s', async (_, error) => {
    const { gate } = gateAt({ failuresMax: 1 });
    await failing(gate, error);
    expect(gate.view().breaker.state).toBe('closed');
  });

  test('is not closed by requests that say nothing of the provider, nor by callers that give up', async () => {
    const { gate } = gateAt({ failuresMax: 1 });
    const uncounted = { ...request, countsForBreaker: false };
    await gate.pass(uncounted, () => Promise.reject(outage())).catch(() => {});
    const controller = new AbortController();
    const aborted = gate.pass({ ...request, signal: controller.signal }, async () => {
      controller.abort(new Error('cancelled'));
      throw outage();
    });
    await expect(aborted).rejects.toThrow();
    expect(gate.view().breaker.state).toBe('closed');
  });

  test('turns away what was in line when it closed', async () => {
    const { gate } = gateAt({ failuresMax: 1, concurrency: 1 });
    const first = Promise.withResolvers<never>();
    const under = gate.pass(request, () => first.promise).catch((error: unknown) => error);
    const inLine = [refused(gate), refused(gate)];
    expect(gate.view().limiter).toEqual({ concurrency: 1, intervalMs: 0, running: 1, waiting: 2 });
    first.reject(outage());
    await under;
    for (const error of await Promise.all(inLine)) expect(error).toMatchObject({ code: 'provider_paused' });
  });

  test('lets nobody in who would wait behind too many, and says when to come again', async () => {
    const { clock, gate } = gateAt({ concurrency: 1, intervalMs: 0, waitingMax: 2 });
    const first = Promise.withResolvers<string>();
    const taken = [first.promise, Promise.resolve(), Promise.resolve()].map((answer) =>
      gate.pass<unknown>(request, () => answer),
    );
    const error = await refused(gate);
    expect(error).toMatchObject({ code: 'provider_busy', retryable: true, details: { waiting: 2 } });
    expect(error.retryAt).toBeGreaterThan(clock.now());
    first.resolve('done');
    await Promise.all(taken);
    expect(await gate.pass(request, async () => 'in')).toBe('in');
  });
});
