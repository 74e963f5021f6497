import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/kernel/errors.ts';
import { jobLog } from '../../src/onboarding/job-log.ts';
import { failureOf } from '../../src/onboarding/start-onboarding.ts';
import { recordOf, takenOf } from './fixture.ts';

/** A log that remembers its lines as `level message`, and what came with them. */
function remembering() {
  const lines: [string, object][] = [];
  const at = (level: string) => (details: object, message: string) => {
    lines.push([`${level} ${message}`, details]);
  };
  return { lines, log: jobLog({ info: at('info'), warn: at('warn'), error: at('error') }) };
}

describe('the log of jobs', () => {
  test('logs each end and each retry, and not the steps between', () => {
    const { lines, log } = remembering();
    const taken = takenOf('AAPL');
    const error = { code: 'no_price_data', message: 'no price data for AAPL', phase: 'fetch' } as const;
    log.onCommitted(recordOf(taken, 'processing.fetch.running'));
    log.onCommitted(recordOf(taken, 'processing.fetch.backingOff', { job: { attempt: 2, retryAt: 1000 } }));
    log.onCommitted(recordOf(taken, 'completed', { job: { outcome: 'partial' } }));
    log.onCommitted(recordOf(taken, 'failed', { job: { error } }));
    log.onCommitted(recordOf(taken, 'cancelled'));
    expect(lines.map(([line]) => line)).toEqual([
      'info phase will be retried',
      'info symbol onboarded',
      'warn onboarding failed',
      'info onboarding cancelled',
    ]);
    expect(lines[0]![1]).toMatchObject({ symbol: 'AAPL', attempt: 2, until: '1970-01-01T00:00:01.000Z' });
    expect(lines[2]![1]).toMatchObject({ symbol: 'AAPL', code: 'no_price_data' });
  });

  test('logs the cause of a failed phase, and an unclassified failure as an error', () => {
    const { lines, log } = remembering();
    const input = { ...takenOf('AAPL'), phase: 'fetch', attempt: 3, results: {}, degraded: null } as const;
    const outage = new AppError('provider_unavailable', 'no answer', { retryable: true });
    const mistake = new TypeError('undefined is not a function');
    for (const cause of [outage, mistake]) {
      log.onFailure(input, failureOf(cause, { at: 0, jitter: 0 }), cause);
    }
    expect(lines.map(([line, details]) => [line, (details as { err: unknown }).err])).toEqual([
      ['warn phase failed', outage],
      ['error phase failed unexpectedly', mistake],
    ]);
    expect(lines[0]![1]).toMatchObject({ phase: 'fetch', attempt: 3, code: 'provider_unavailable' });
  });
});
