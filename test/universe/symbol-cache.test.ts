import { describe, expect, test } from 'vitest';
import type { SymbolStatusView } from '../../src/contract/schemas.ts';
import { symbolCache } from '../../src/universe/symbol-cache.ts';
import { type SymbolFacts, statusIn } from '../../src/universe/symbol-status.ts';

const facts: SymbolFacts = {
  readyAt: '2026-07-31T22:00:00.000Z',
  quality: 'full_history',
  qualityReason: null,
  jobId: 'job-1',
  jobStatus: 'completed',
  phase: 'cache',
  attempt: 1,
  errorCode: null,
  errorMessage: null,
  paused: false,
};
const statusOf = (symbol: string, changes: Partial<SymbolFacts> = {}): SymbolStatusView =>
  statusIn(symbol, { ...facts, ...changes }, { retryLimit: 3 });

describe('the cache', () => {
  test('remembers what is ready, and nothing else', () => {
    const cache = symbolCache();
    cache.begin('AAPL')(statusOf('AAPL'));
    cache.begin('MSFT')(statusOf('MSFT', { readyAt: null, jobStatus: 'processing' }));
    expect([cache.get('AAPL')?.status, cache.get('MSFT'), cache.size]).toEqual(['ready', undefined, 1]);
  });

  test('forgets a symbol of which a transition was committed', () => {
    const cache = symbolCache();
    cache.begin('AAPL')(statusOf('AAPL'));
    cache.begin('MSFT')(statusOf('MSFT'));
    cache.invalidate('AAPL');
    expect([cache.get('AAPL'), cache.get('MSFT')?.status]).toEqual([undefined, 'ready']);
  });

  test.each([
    ['a transition', (cache: ReturnType<typeof symbolCache>) => cache.invalidate('AAPL')],
    ['a loss of the feed', (cache: ReturnType<typeof symbolCache>) => cache.clear()],
  ])('does not take what was read before %s: it may be late, never early', (_, happens) => {
    const cache = symbolCache();
    const keep = cache.begin('AAPL');
    happens(cache);
    keep(statusOf('AAPL'));
    expect(cache.get('AAPL')).toBeUndefined();
    cache.begin('AAPL')(statusOf('AAPL'));
    expect(cache.get('AAPL')?.status).toBe('ready');
  });
});

describe('the status of a symbol', () => {
  test.each<[string, Partial<SymbolFacts> | null, string, string]>([
    ['without a row or a job', null, 'unknown', 'Symbol not found'],
    ['whose job waits', { readyAt: null, jobStatus: 'pending' }, 'pending', 'Queued for processing'],
    [
      'whose job waits while onboarding is paused',
      { readyAt: null, jobStatus: 'pending', paused: true },
      'pending',
      'Queued for processing; onboarding is paused',
    ],
    [
      'at work',
      { readyAt: null, jobStatus: 'processing', phase: 'fetch' },
      'processing',
      'Loading prices...',
    ],
    [
      'tried again',
      { readyAt: null, jobStatus: 'processing', phase: 'factors', attempt: 2 },
      'processing',
      'Measuring factor exposures (attempt 2 of 4)',
    ],
    [
      'whose job failed',
      { readyAt: null, jobStatus: 'failed', phase: 'fetch', attempt: 1, errorMessage: 'No prices' },
      'error',
      'Onboarding failed while loading prices: No prices. Upload it again to try once more.',
    ],
    [
      'whose waits were spent',
      {
        readyAt: null,
        jobStatus: 'failed',
        phase: 'fetch',
        attempt: 4,
        errorCode: 'provider_throttled',
        errorMessage: 'Yahoo Finance throttles requests until 2026-07-31T20:30:00Z',
      },
      'error',
      'Onboarding failed while loading prices, after 4 attempts: the price provider kept throttling requests. ' +
        'Upload it again to try once more.',
    ],
    [
      'that was waited for until the patience was spent',
      { readyAt: null, jobStatus: 'failed', phase: 'fetch', attempt: 1, errorCode: 'provider_paused' },
      'error',
      'Onboarding failed while loading prices: the price provider kept failing. Upload it again to try once more.',
    ],
    [
      'that is a currency',
      { quality: 'not_applicable', qualityReason: 'currency', jobStatus: 'completed' },
      'ready',
      'Symbol data available; an exchange rate has no factor exposures',
    ],
    [
      'whose job was cancelled',
      { readyAt: null, jobStatus: 'cancelled' },
      'error',
      'The onboarding was cancelled. Upload it again to try once more.',
    ],
    ['that is ready', {}, 'ready', 'Symbol data available'],
    [
      'that is refreshed',
      { jobStatus: 'processing' },
      'ready',
      'Symbol data available; an update is under way',
    ],
    [
      'whose refresh failed',
      { jobStatus: 'failed' },
      'ready',
      'Symbol data available; the last update failed',
    ],
    [
      'with placeholders',
      { quality: 'default', qualityReason: 'too_few_observations' },
      'ready',
      'Symbol data available; some factor exposures are placeholders: too few prices to measure them',
    ],
  ])('%s', (_, changes, status, message) => {
    const view = statusIn('AAPL', changes && { ...facts, ...changes }, { retryLimit: 3 });
    expect({ status: view.status, message: view.message }).toEqual({ status, message });
  });

  test('tells how far a job is: nothing while it waits, the phases behind it at work, all when ready', () => {
    const progress = (changes: Partial<SymbolFacts>) => statusOf('AAPL', changes).progress;
    expect(progress({ readyAt: null, jobStatus: 'pending', phase: 'factors' })).toBe(0);
    expect(progress({ readyAt: null, jobStatus: 'processing', phase: 'snapshot' })).toBe(0.6);
    expect(progress({})).toBe(1);
    expect(progress({ jobStatus: 'processing', phase: 'universe' }), 'of its refresh').toBe(0.4);
  });
});
