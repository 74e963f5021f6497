import { expect, test } from 'vitest';
import { redactSecrets } from '../../../src/onboarding/job/redact-secrets.ts';

test('secrets are removed from contexts and events at every level', () => {
  const event = {
    type: 'xstate.error.actor.fetch',
    error: new Error(
      'GET https://me:s3cret@query2.finance.yahoo.com/v7/quote?symbols=AAPL&crumb=s3cret failed',
    ),
    list: [{ apiKey: 's3cret', Authorization: 'Bearer s3cret', cookies: ['s3cret'] }],
    work: () => 's3cret',
  };
  const shown = redactSecrets(event);
  expect(JSON.stringify(shown)).not.toContain('s3cret');
  expect(shown.error.message).toBe(
    'GET https://query2.finance.yahoo.com/v7/quote?symbols=AAPL&crumb=*** failed',
  );
});

test('everything else is unchanged', () => {
  const context = {
    symbol: 'AAPL',
    retryAt: 1,
    error: null,
    token: null,
    results: { bars: 251 },
    list: [1, 'a'],
  };
  expect(redactSecrets(context)).toEqual(context);
});
