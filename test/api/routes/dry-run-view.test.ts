import { describe, expect, test } from 'vitest';
import { dryRunSchema } from '../../../src/contract/schemas.ts';
import type { UploadRefusal } from '../../../src/contract/service.ts';
import { csv, position, postCsv, postForm, postJson } from '../post.ts';
import { serve } from '../serve.ts';

describe('a dry run', () => {
  test.each([
    ['the query', (url: string) => postCsv(url, csv, '?dry_run=true')],
    ['a field of the form', (url: string) => postForm(url, { file: new Blob([csv]), dry_run: 'true' })],
    ['the JSON body', (url: string) => postJson(url, { positions: [position], dry_run: true })],
  ])('is asked for in %s, and nothing is uploaded', async (_, post) => {
    const { url, fake } = await serve();
    const { status, headers, body } = await post(url);
    expect(status).toBe(200);
    expect(headers.get('location')).toBeNull();
    expect(body).toMatchObject({ would: 'pending', lot_count: 1, pending_symbols: ['BRK-B'], warnings: [] });
    expect(body.snapshot).toMatchObject({ total_value: '1200.00' });
    expect(fake.uploads).toEqual([]);
    expect(fake.calls).toMatchObject([['dryRun', { owner: 'local', baseCurrency: 'USD' }]]);
  });

  test('that says false in the body beats a query that says true', async () => {
    const { url, fake } = await serve();
    const form = { file: new Blob([csv]), dry_run: 'false' };
    expect((await postForm(url, form, 'a.csv', '?dry_run=true')).status).toBe(202);
    expect(fake.uploads).toHaveLength(1);
  });

  test('that neither says true nor false is refused, and nothing is uploaded', async () => {
    const { url, fake } = await serve();
    expect(await postCsv(url, csv, '?dry_run=yes')).toMatchObject({
      status: 422,
      body: { code: 'invalid_request', errors: [{ path: 'dry_run', value: 'yes' }] },
    });
    expect(fake.uploads).toEqual([]);
  });

  test('would be ready where nothing has to be onboarded, and may have no totals', async () => {
    const { url, fake } = await serve();
    fake.forecast = { kind: 'accepted', lot_count: 1, pending_symbols: [], warnings: [], snapshot: null };
    const { body } = await postCsv(url, csv, '?dry_run=true');
    expect(body).toEqual({ would: 'ready', lot_count: 1, pending_symbols: [], warnings: [], snapshot: null });
  });

  const remark = { code: 'ERR_POS_001', message: 'Name a symbol.', row: 2, column: 'Symbol', value: '' };
  const refusals: UploadRefusal[] = [
    { kind: 'rejected_rows', problems: [remark], warnings: [{ ...remark, code: 'WARN_CSV_001' }] },
    { kind: 'invalid_symbols', symbols: [{ symbol: 'NOPE1', reason: 'unknown' }] },
    { kind: 'too_many_symbols', needed: 60, limit: 50 },
    { kind: 'queue_full', depth: 50, limit: 50, needed: 3, retry_after_seconds: 17 },
  ];

  test.each(refusals)('of what is $kind has the fields of the problem', async (answer) => {
    const { url, fake } = await serve();
    fake.forecast = answer;
    fake.answer = answer;
    const { status, body } = await postCsv(url, csv, '?dry_run=true');
    const { body: problem } = await postCsv(url);
    const { type, title, status: _, instance, request_id, code, ...rest } = problem;
    expect(status).toBe(200);
    expect(body).toEqual(
      answer.kind === 'queue_full' ? { would: 'queue_full', ...rest } : { would: 'rejected', code, ...rest },
    );
    expect(dryRunSchema.parse(body)).toEqual(body);
  });

  test('while the provider gives no verdict is 503: nobody knows', async () => {
    const { url, fake } = await serve();
    fake.forecast = {
      kind: 'unverifiable',
      symbols: [{ symbol: 'A', reason: 'down' }],
      retry_after_seconds: 9,
    };
    const { status, headers, body } = await postCsv(url, csv, '?dry_run=true');
    expect([status, headers.get('retry-after'), body.code]).toEqual([503, '9', 'symbols_unverifiable']);
  });
});
