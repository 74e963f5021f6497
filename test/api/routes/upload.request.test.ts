import { describe, expect, test } from 'vitest';
import { portfolioId } from '../fake-service.ts';
import { csv, postCsv, postForm, postJson } from '../post.ts';
import { serve } from '../serve.ts';

describe('upload', () => {
  test('answers 202 with the symbols to watch while some are pending', async () => {
    const { url } = await serve();
    const { status, headers, body } = await postCsv(url);
    expect(status).toBe(202);
    expect(headers.get('location')).toBe(`/portfolios/${portfolioId}`);
    expect(body).toEqual({
      portfolio_id: portfolioId,
      status: 'pending',
      pending_symbols: ['BRK-B'],
      warnings: [],
      links: {
        self: `/portfolios/${portfolioId}`,
        positions: `/portfolios/${portfolioId}/positions`,
        snapshots: `/portfolios/${portfolioId}/snapshots`,
        exposures: `/portfolios/${portfolioId}/exposures`,
      },
    });
  });

  test('answers 201 when every symbol is known, and passes warnings on', async () => {
    const { url, fake } = await serve();
    const warnings = [
      { code: 'WARN_CSV_001', message: 'Unknown column.', row: 1, column: 'Foo', value: null },
    ];
    fake.answer = {
      kind: 'created',
      portfolio_id: portfolioId,
      status: 'ready',
      pending_symbols: [],
      warnings,
    };
    const { status, body } = await postCsv(url);
    expect(status).toBe(201);
    expect(body).toMatchObject({ status: 'ready', pending_symbols: [], warnings });
  });

  test('hands the bytes of text/csv over untouched, with the options of the query', async () => {
    const { url, fake } = await serve();
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x53, 0xff, 0x0d, 0x0a]);
    await postCsv(url, bytes, '?name=Mine&base_currency=eur&allow_duplicates=true');
    const [upload] = fake.uploads;
    expect(upload).toMatchObject({
      owner: 'local',
      name: 'Mine',
      baseCurrency: 'EUR',
      allowDuplicates: true,
    });
    expect(upload?.source).toEqual({ kind: 'csv', bytes });
  });

  test('defaults to USD, no duplicates and the name "Portfolio"', async () => {
    const { url, fake } = await serve();
    await postCsv(url);
    expect(fake.uploads[0]).toMatchObject({
      name: 'Portfolio',
      baseCurrency: 'USD',
      allowDuplicates: false,
    });
  });

  test('leaves an empty body to the CSV rules, which have a code for it', async () => {
    const { url, fake } = await serve();
    await postCsv(url, '');
    expect(fake.uploads[0]?.source).toEqual({ kind: 'csv', bytes: Buffer.alloc(0) });
  });

  test('reads a form, whatever the order of its parts', async () => {
    const { url, fake } = await serve();
    const { status } = await postForm(url, {
      base_currency: 'GBP',
      file: new Blob([csv]),
      name: 'Pension',
    });
    expect(status).toBe(202);
    expect(fake.uploads[0]).toMatchObject({ name: 'Pension', baseCurrency: 'GBP' });
    expect(fake.uploads[0]?.source).toEqual({ kind: 'csv', bytes: Buffer.from(csv) });
  });

  test('names a portfolio after its file when the form does not', async () => {
    const { url, fake } = await serve();
    await postForm(url, { file: new Blob([csv]) });
    await postForm(url, { file: new Blob([csv]) }, '=HYPERLINK().csv');
    expect(fake.uploads.map(({ name }) => name)).toEqual(['My stocks', 'Portfolio']);
  });

  test('reads JSON and keeps the digits of its numbers as they were written', async () => {
    const { url, fake } = await serve();
    const { status } = await postJson(
      url,
      '{"name":"J","positions":[{"symbol":"A","quantity":0.1000000000000000055,"entry_price":1.10,"entry_date":"2025-01-02"}]}',
    );
    expect(status).toBe(202);
    expect(fake.uploads[0]?.source).toEqual({
      kind: 'json',
      positions: [
        {
          symbol: 'A',
          quantity: '0.1000000000000000055',
          entry_price: '1.10',
          entry_date: '2025-01-02',
        },
      ],
    });
  });
});
