import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { healthChecks } from '../../src/health/run-checks.ts';
import { TestClock } from '../support/clock.ts';

describe('health checks', () => {
  test('tell what is wrong in their own words, one by one', async () => {
    const ready = healthChecks(
      {
        fine: () => null,
        wrong: async () => 'It is tired.',
        thrown() {
          throw new Error('password authentication failed for user "secret"');
        },
      },
      new TestClock(),
    );
    expect(await ready()).toEqual([
      { name: 'fine', status: 'ok', message: null, duration_ms: 0 },
      { name: 'wrong', status: 'failed', message: 'It is tired.', duration_ms: 0 },
      { name: 'thrown', status: 'failed', message: 'It does not answer.', duration_ms: 0 },
    ]);
  });

  test('that hang time out after two seconds and delay no other check', async () => {
    const clock = new TestClock();
    const ready = healthChecks({ hangs: () => new Promise(() => {}), fine: () => null }, clock);
    const answer = ready();
    await nextTurn(); // the other has answered
    await clock.advance(2000);
    expect(await answer).toEqual([
      { name: 'hangs', status: 'failed', message: 'No answer within 2 s.', duration_ms: 2000 },
      { name: 'fine', status: 'ok', message: null, duration_ms: 0 },
    ]);
    expect(clock.pending).toEqual([]);
  });

  test('run once for all concurrent probes, and again for the next', async () => {
    let runs = 0;
    const gate = Promise.withResolvers<null>();
    const ready = healthChecks(
      {
        counted: () => {
          runs += 1;
          return runs === 1 ? gate.promise : null;
        },
      },
      new TestClock(),
    );
    const answers = [ready(), ready(), ready()];
    expect(runs).toBe(1);
    gate.resolve(null);
    for (const answer of answers) expect(await answer).toMatchObject([{ status: 'ok' }]);
    await ready();
    expect(runs).toBe(2);
  });

  test('that never answer are asked again after ten seconds', async () => {
    const clock = new TestClock();
    let away = true;
    const ready = healthChecks({ flaky: () => (away ? new Promise(() => {}) : null) }, clock);
    const probe = async () => {
      const answer = ready();
      await nextTurn();
      if (clock.pending.length > 0) await clock.advance(2000);
      return (await answer)[0]!.status;
    };
    expect(await probe()).toBe('failed');
    away = false;
    expect(await probe()).toBe('failed');
    await clock.advance(8000);
    expect(await probe()).toBe('ok');
  });
});
