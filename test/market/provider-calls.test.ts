import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/kernel/errors.ts';
import { noteRequest, type ProviderEvent, publicUrl } from '../../src/market/provider-calls.ts';

describe('publicUrl', () => {
  test.each([
    [
      'https://query2.finance.yahoo.com/v7/finance/quote?symbols=AAPL%2CBRK-B&crumb=s3cret',
      'https://query2.finance.yahoo.com/v7/finance/quote?symbols=AAPL%2CBRK-B&crumb=***',
    ],
    ['https://me:s3cret@example.com/x?api_key=s3cret#s3cret', 'https://example.com/x?api_key=***'],
    ['simulated:history?symbol=%5EGSPC&from=2026-01-01', 'simulated:history?symbol=%5EGSPC&from=2026-01-01'],
    ['s3cret', '***'],
  ])('shows of %s what anybody may see', (url, shown) => {
    expect(publicUrl(url)).toBe(shown);
  });

  test('clips what nobody would read', () => {
    expect(publicUrl(`https://example.com/?symbols=${'A'.repeat(5000)}`)).toHaveLength(401);
  });
});

describe('noteRequest', () => {
  const told: ProviderEvent[] = [];
  const times = [1000, 1042];
  const noted = () => {
    const clock = { now: () => times.shift() ?? 1042 };
    times.splice(0, times.length, 1000, 1042);
    told.length = 0;
    return noteRequest((event) => told.push(event), {
      provider: 'yahoo',
      url: 'https://example.com/a',
      clock,
    });
  };
  const request = {
    kind: 'request',
    provider: 'yahoo',
    url: 'https://example.com/a',
    at: 1000,
    durationMs: 42,
  };

  test('tells status, bytes and time of an answer', () => {
    const note = noted();
    note.answered({ status: 200, bytes: 512 });
    note.ended();
    expect(told).toEqual([{ ...request, status: 200, bytes: 512, result: 'ok' }]);
  });

  test('tells why an answer was none, and that a request was given up', () => {
    const note = noted();
    note.answered({ status: 429, bytes: 19 });
    note.ended(new AppError('provider_throttled', 'wait'));
    expect(told).toEqual([{ ...request, status: 429, bytes: 19, result: 'provider_throttled' }]);
    noted().ended(new Error('cancelled'));
    expect(told).toEqual([{ ...request, status: null, bytes: null, result: 'aborted' }]);
  });
});
