import { describe, expect, test } from 'vitest';
import { readIdempotencyKey } from '../../../src/api/routes/idempotency-key.ts';
import type { CreatedPortfolio } from '../../../src/contract/service.ts';
import { AppError } from '../../../src/kernel/errors.ts';
import { portfolioId } from '../fake-service.ts';
import { csv } from '../post.ts';
import { ask, serve } from '../serve.ts';

describe('an idempotency key', () => {
  test.each([
    ['8e03978e', '8e03978e'],
    ['"8e03978e"', '8e03978e'],
    [String.raw`"a\"b\\c"`, String.raw`a"b\c`],
    ['a"b', 'a"b'],
    ['~!', '~!'],
    ['k'.repeat(255), 'k'.repeat(255)],
    [`"${'\\\\'.repeat(255)}"`, '\\'.repeat(255)],
  ])('%.20s is read', (value, key) => {
    expect(readIdempotencyKey(value)).toBe(key);
  });

  const malformed = ['', '""', '"', '"a', 'a b', '"a b"', '"a\\b"', '"a";p=1', 'a, a', 'é', 'k'.repeat(256)];
  test.each(malformed)('%.20s is none', (value) => {
    expect(readIdempotencyKey(value)).toBeNull();
  });
});

describe('an upload with an idempotency key', () => {
  const post = (url: string, key: string, query = '') =>
    ask(`${url}/portfolios${query}`, {
      method: 'POST',
      headers: { 'content-type': 'text/csv', 'idempotency-key': key, 'x-other': 'kept' },
      body: csv,
    });

  test('hands the key on, quoted or not', async () => {
    const { url, fake } = await serve();
    expect((await post(url, '"k1"')).status).toBe(202);
    expect((await post(url, 'k1')).headers.get('idempotency-replayed')).toBeNull();
    expect(fake.keys).toEqual(['k1', 'k1']);
  });

  test.each(['', 'a b', '"open', 'k'.repeat(256)])(
    'is refused by the name of the header: %.10s',
    async (key) => {
      const { url, fake } = await serve();
      const { status, body } = await post(url, key);
      expect(status).toBe(422);
      expect(body).toMatchObject({
        code: 'invalid_request',
        detail: expect.stringContaining('idempotency-key'),
      });
      expect(body.errors).toMatchObject([
        { path: 'idempotency-key', message: expect.stringContaining('255') },
      ]);
      expect(fake.uploads).toEqual([]);
    },
  );

  test('is told that its answer is one of before', async () => {
    const { url, fake } = await serve();
    const warnings = [
      { code: 'WARN_CSV_001', message: 'Unknown column.', row: 1, column: 'Foo', value: null },
    ];
    const created: CreatedPortfolio = {
      kind: 'created',
      portfolio_id: portfolioId,
      status: 'ready',
      pending_symbols: [],
      warnings,
    };
    fake.answer = { kind: 'replayed', created };
    const { status, headers, body } = await post(url, 'k1');
    expect(status).toBe(201);
    expect(headers.get('idempotency-replayed')).toBe('true');
    expect(headers.get('location')).toBe(`/portfolios/${portfolioId}`);
    expect(body).toMatchObject({ portfolio_id: portfolioId, warnings, links: { self: expect.any(String) } });
  });

  test('is told when to come again while another one is under way', async () => {
    const { url, fake } = await serve();
    fake.failure = new AppError('idempotency_in_flight', 'Under way.', {
      details: { retry_after_seconds: 2 },
    });
    const { status, headers, body } = await post(url, 'k1');
    expect([status, headers.get('retry-after'), body.code]).toEqual([409, '2', 'idempotency_in_flight']);
  });

  test('uses up no key in a dry run', async () => {
    const { url, fake } = await serve();
    expect((await post(url, 'k1', '?dry_run=true')).status).toBe(200);
    expect(fake.keys).toEqual([]);
  });
});
