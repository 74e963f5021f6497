import { describe, expect, test } from 'vitest';
import { inFlight } from '../../../src/onboarding/job/phases-in-flight.ts';
import { settled } from '../../machines/harness.ts';

/** Whether a promise has settled by now. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.then(
    () => (done = true),
    () => (done = true),
  );
  await settled();
  return done;
}

describe('phases in flight', () => {
  test('are settled immediately if nothing runs', async () => {
    const flights = inFlight();
    expect(await isDone(flights.settled())).toBe(true);
    expect(await isDone(flights.settled('AAPL'))).toBe(true);
  });

  test('are awaited per symbol and for all symbols', async () => {
    const flights = inFlight();
    const [first, second, other] = [1, 2, 3].map(() => Promise.withResolvers<void>());
    flights.track('AAPL', first!.promise);
    flights.track('AAPL', second!.promise);
    flights.track('MSFT', other!.promise);
    const [aapl, msft, all] = [flights.settled('AAPL'), flights.settled('MSFT'), flights.settled()];
    first!.resolve();
    expect(await isDone(aapl)).toBe(false);
    second!.resolve();
    expect(await isDone(aapl)).toBe(true);
    expect([await isDone(msft), await isDone(all)]).toEqual([false, false]);
    other!.resolve();
    expect([await isDone(msft), await isDone(all)]).toEqual([true, true]);
    expect(await isDone(flights.settled())).toBe(true);
  });

  test('pass on the result or error of the work, and end with either', async () => {
    const flights = inFlight();
    expect(await flights.track('AAPL', Promise.resolve(42))).toBe(42);
    const failure = new Error('no data');
    await expect(flights.track('AAPL', Promise.reject(failure))).rejects.toBe(failure);
    expect(await isDone(flights.settled('AAPL'))).toBe(true);
  });
});
