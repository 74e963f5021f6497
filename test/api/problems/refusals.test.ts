import { describe, expect, test } from 'vitest';
import type { UploadAnswer } from '../../../src/contract/service.ts';
import { csv, position, postCsv, postForm, postJson } from '../post.ts';
import { ask, serve } from '../serve.ts';

describe('a refused upload', () => {
  const refusals: [UploadAnswer, number, object][] = [
    [
      {
        kind: 'rejected_rows',
        problems: [{ code: 'ERR_POS_001', message: 'Name a symbol.', row: 2, column: 'Symbol', value: '' }],
        warnings: [],
      },
      422,
      {
        code: 'invalid_rows',
        errors: [{ code: 'ERR_POS_001', message: 'Name a symbol.', row: 2, column: 'Symbol', value: '' }],
      },
    ],
    [
      {
        kind: 'invalid_symbols',
        symbols: [
          { symbol: 'NOPE1', reason: 'unknown' },
          { symbol: 'NOPE2', reason: 'unknown' },
        ],
      },
      422,
      { code: 'invalid_symbols', detail: 'Invalid symbols: NOPE1, NOPE2. Nothing was saved.' },
    ],
    [
      { kind: 'too_many_symbols', needed: 60, limit: 50 },
      422,
      { code: 'too_many_symbols', needed: 60, limit: 50 },
    ],
    [
      { kind: 'queue_full', depth: 50, limit: 50, needed: 3, retry_after_seconds: 17 },
      503,
      { code: 'queue_full', depth: 50, limit: 50, needed: 3, retry_after_seconds: 17 },
    ],
    [
      {
        kind: 'unverifiable',
        symbols: [{ symbol: 'AAPL', reason: 'timeout' }],
        retry_after_seconds: 30,
      },
      503,
      { code: 'symbols_unverifiable', symbols: [{ symbol: 'AAPL', reason: 'timeout' }] },
    ],
  ];

  test.each(refusals)('$kind is a problem with its evidence', async (answer, status, expected) => {
    const { url, fake } = await serve();
    fake.answer = answer;
    const reply = await postCsv(url);
    expect(reply.status).toBe(status);
    expect(reply.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(reply.body).toMatchObject({ ...expected, status, instance: '/portfolios' });
    const wait = 'retry_after_seconds' in answer ? String(answer.retry_after_seconds) : null;
    expect(reply.headers.get('retry-after')).toBe(wait);
  });

  test.each([
    ['base_currency=US', 'base_currency'],
    ['base_currency=ZZZ', 'base_currency'],
    ['base_currency=GBX', 'base_currency'], // a unit of quotes, not a currency
    ['name=', 'name'],
    ['name=%3DSUM(A1)', 'name'],
    [`name=Stocks${'x'.repeat(200)}`, 'name'],
    ['name=a%0Ab', 'name'],
    ['allow_duplicates=maybe', 'allow_duplicates'],
    ['sketch=true', 'sketch'],
  ])('?%.20s is refused by name', async (query, path) => {
    const { url, fake } = await serve();
    const { status, body } = await postCsv(url, csv, `?${query}`);
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: 'invalid_request', errors: [{ path }] });
    expect(fake.uploads).toEqual([]);
  });

  test('a wrong field of a form names the field and what came', async () => {
    const { url } = await serve();
    const { status, body } = await postForm(url, { file: new Blob([csv]), base_currency: 'dollars' });
    expect(status).toBe(422);
    expect(body.errors).toMatchObject([{ path: 'base_currency', value: 'dollars' }]);
  });

  test.each<[string, Record<string, string | Blob>, string]>([
    ['without a file', { name: 'x' }, 'Missing file'],
    ['with the file in another field', { upload: new Blob([csv]) }, '`upload`'],
    ['with an unknown field', { file: new Blob([csv]), colour: 'red' }, '`colour`'],
    ['with a name too long to be one', { name: 'x'.repeat(5000), file: new Blob([csv]) }, 'field `name`'],
  ])('a form %s is told so', async (_, parts, evidence) => {
    const { url, fake } = await serve();
    const { status, body } = await postForm(url, parts);
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: 'invalid_form', detail: expect.stringContaining(evidence) });
    expect(fake.uploads).toEqual([]);
  });

  test('a form with two files is told so', async () => {
    const { url } = await serve();
    const form = new FormData();
    form.append('file', new Blob([csv]), 'a.csv');
    form.append('file', new Blob([csv]), 'b.csv');
    const { status, body } = await ask(`${url}/portfolios`, { method: 'POST', body: form });
    expect(status).toBe(422);
    expect(body.code).toBe('invalid_form');
  });

  test.each([
    ['multipart/form-data', csv],
    ['multipart/form-data; boundary=x', '--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nSymb'],
  ])('a broken form (%s) is malformed, not empty', async (type, body) => {
    const { url } = await serve();
    const reply = await ask(`${url}/portfolios`, {
      method: 'POST',
      headers: { 'content-type': type },
      body,
    });
    expect([reply.status, reply.body.code]).toEqual([400, 'malformed_form']);
  });

  test('JSON names every place that is not as expected', async () => {
    const { url } = await serve();
    const { status, body } = await postJson(url, {
      positions: [position, { ...position, symbol: 5 }, { ...position, qty: '1' }],
    });
    expect(status).toBe(422);
    expect(body.errors.map(({ path }: { path: string }) => path)).toEqual([
      '/positions/1/symbol',
      '/positions/2/qty',
    ]);
  });

  test.each([
    ['', 'empty'],
    ['{"positions": [', 'not valid JSON'],
    ['{"__proto__": {}}', '__proto__'],
  ])('JSON body %j is malformed', async (text, evidence) => {
    const { url } = await serve();
    const { status, body } = await postJson(url, text);
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'malformed_json', detail: expect.stringContaining(evidence) });
  });

  test('JSON with more positions than a portfolio may have is refused before each is looked at', async () => {
    const { url } = await serve();
    const { status, body } = await postJson(url, { positions: Array(50_001).fill(0) });
    expect([status, body.code, body.limit]).toEqual([413, 'payload_too_large', 50_000]);
  });

  test.each([
    ['text/plain', 'unsupported_media_type'],
    ['application/xml', 'unsupported_media_type'],
    ['text/csv; charset=iso-8859-1', 'unsupported_charset'],
  ])('content type %s is 415', async (type, code) => {
    const { url } = await serve();
    const { status, body } = await ask(`${url}/portfolios`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: csv,
    });
    expect([status, body.code]).toEqual([415, code]);
    if (code === 'unsupported_media_type') {
      expect(body.accept).toEqual(['text/csv', 'multipart/form-data', 'application/json']);
      expect(body.detail).toContain(type);
    }
  });

  test('no body and no content type is 415 too', async () => {
    const { url } = await serve();
    const { status, body } = await ask(`${url}/portfolios`, { method: 'POST' });
    expect([status, body.code]).toEqual([415, 'unsupported_media_type']);
  });

  test('a compressed body is 415, and says so', async () => {
    const { url } = await serve();
    const { status, body } = await ask(`${url}/portfolios`, {
      method: 'POST',
      headers: { 'content-type': 'text/csv', 'content-encoding': 'gzip' },
      body: csv,
    });
    expect([status, body.code]).toEqual([415, 'unsupported_encoding']);
  });
});
