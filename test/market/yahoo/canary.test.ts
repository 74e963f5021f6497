import { expect, test } from 'vitest';
import { AppError } from '../../../src/kernel/errors.ts';
import { failures } from '../../../src/market/provider-failures.ts';
import { canaryHealth } from '../../../src/market/yahoo/canary.ts';
import { TestClock } from '../../support/clock.ts';

function checked() {
  const clock = new TestClock();
  const state = { answer: async () => {}, asked: 0 };
  const health = canaryHealth({
    clock,
    ask: () => {
      state.asked += 1;
      return state.answer();
    },
    unknown: (cause) => failures.unavailable({ provider: 'yahoo', what: 'does not know SPY', cause }),
  });
  return { clock, state, health };
}

test('a proof holds for a minute, and prices of any symbol are one', async () => {
  const { clock, state, health } = checked();
  await Promise.all([health.requireHealthy(), health.requireHealthy()]);
  await clock.advance(60_000);
  await health.requireHealthy();
  expect(state.asked).toBe(1);
  await clock.advance(1);
  await health.requireHealthy();
  expect(state.asked).toBe(2);
  await clock.advance(59_000);
  health.markHealthy();
  await clock.advance(59_000);
  await health.requireHealthy();
  expect(state.asked).toBe(2);
});

test('a provider that does not know the canary has an outage; one that throttles keeps its own words', async () => {
  const { clock, state, health } = checked();
  state.answer = () => Promise.reject(failures.notFound({ provider: 'yahoo', symbol: 'SPY' }));
  await expect(health.requireHealthy()).rejects.toMatchObject({
    code: 'provider_unavailable',
    retryable: true,
  });
  await clock.advance(4999);
  await expect(health.requireHealthy()).rejects.toBeInstanceOf(AppError);
  expect(state.asked).toBe(1);
  await clock.advance(1);
  const retryAt = clock.now() + 1000;
  state.answer = () => Promise.reject(failures.throttled({ provider: 'yahoo', retryAt }));
  await expect(health.requireHealthy()).rejects.toMatchObject({ code: 'provider_throttled', retryAt });
  await clock.advance(5000);
  state.answer = async () => {};
  await health.requireHealthy();
  expect(state.asked).toBe(3);
});
