import { describe, expect, test } from 'vitest';
import { requestRefused } from '../../../src/api/problems/to-problem.ts';
import {
  jobsQuerySchema,
  portfolioInputSchema,
  pricesQuerySchema,
  statusesQuerySchema,
  uploadOptionsSchema,
} from '../../../src/contract/schemas.ts';

const schemas = { jobsQuerySchema, pricesQuerySchema, statusesQuerySchema, uploadOptionsSchema };

/** What a client reads about a query that its schema refuses. */
function messagesOf(schema: keyof typeof schemas, query: object): string[] {
  const { error } = schemas[schema].safeParse(query);
  const { details } = requestRefused({
    where: 'querystring',
    issues: error?.issues ?? [],
    values: query as Record<string, unknown>,
  });
  return (details.errors as { message: string }[]).map(({ message }) => message);
}

describe('a refused value', () => {
  test.each<[keyof typeof schemas, object, string]>([
    ['jobsQuerySchema', { limit: '9000' }, 'Invalid `limit` "9000". Allowed: at most 500.'],
    ['jobsQuerySchema', { limit: '0' }, 'Invalid `limit` "0". Allowed: at least 1.'],
    ['jobsQuerySchema', { limit: 'ten' }, 'Invalid `limit` "ten". Allowed: a number.'],
    ['jobsQuerySchema', { limit: '1.5' }, 'Invalid `limit` "1.5". Allowed: a whole number.'],
    [
      'jobsQuerySchema',
      { status: 'pending,done' },
      'Invalid `status` "done". Allowed: pending, processing, completed, failed, cancelled.',
    ],
    ['jobsQuerySchema', { outcome: 'good' }, 'Invalid `outcome` "good". Allowed: complete, partial.'],
    ['jobsQuerySchema', { portfolio_id: 'x' }, 'Invalid `portfolio_id` "x". Allowed: a UUID.'],
    [
      'jobsQuerySchema',
      { created_from: 'today' },
      'Invalid `created_from` "today". Allowed: a date and time in ISO 8601, like 2026-07-31T12:00:00Z.',
    ],
    ['pricesQuerySchema', { from: '1.2.2026' }, 'Invalid `from` "1.2.2026". Allowed: a day as YYYY-MM-DD.'],
    ['pricesQuerySchema', { since: 'x' }, 'Unknown parameter `since`. Allowed: from, to.'],
    ['statusesQuerySchema', {}, 'Missing parameter `symbols`. It is required.'],
    ['statusesQuerySchema', { symbols: 'A,' }, 'Invalid `symbols` "". Allowed: at least 1 character.'],
    [
      'statusesQuerySchema',
      { symbols: 'A,'.repeat(200) },
      expect.stringMatching(/^Invalid `symbols` ".*"\. Allowed: at most 200 entries\.$/),
    ],
    [
      'uploadOptionsSchema',
      { name: '=1+1' },
      'Invalid `name` "=1+1". Allowed: text that does not begin with =, + or @ (a spreadsheet would evaluate it).',
    ],
    ['uploadOptionsSchema', { dry_run: 'yes' }, 'Invalid `dry_run` "yes". Allowed: true, false.'],
    [
      'uploadOptionsSchema',
      { base_currency: 'ZZZ' },
      expect.stringContaining('"ZZZ". Allowed: the ISO 4217'),
    ],
  ])('%s of %j says what is wrong and what is allowed', (schema, query, message) => {
    expect(messagesOf(schema, query)).toContainEqual(message);
  });

  test('of a body is not quoted, because it is a user’s data', () => {
    const { error } = portfolioInputSchema.safeParse({ positions: [{ symbol: 5, qty: '1' }] });
    const { details } = requestRefused({ where: 'body', issues: error!.issues });
    const messages = (details.errors as { message: string }[]).map(({ message }) => message);
    expect(messages).toContain('Invalid `/positions/0/symbol`. Allowed: text.');
    expect(messages).toContain('Missing field `/positions/0/quantity`. It is required.');
    expect(messages).toContainEqual(
      expect.stringMatching(/^Unknown field `\/positions\/0\/qty`\. Allowed: symbol, quantity, entry_price/),
    );
  });

  test('alone is the detail of the problem; several are named, with where to look', () => {
    const refused = (query: object) =>
      requestRefused({
        where: 'querystring',
        issues: jobsQuerySchema.safeParse(query).error!.issues,
        values: { ...query },
      }).message;
    expect(refused({ limit: '9000' })).toBe('Invalid `limit` "9000". Allowed: at most 500.');
    expect(refused({ limit: '0', outcome: 'x', reason: 'y', cursor: 'z' })).toBe(
      'Invalid: outcome, reason, limit and 1 more. `errors` says what is allowed.',
    );
  });
});
