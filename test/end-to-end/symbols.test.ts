import { beforeAll, expect, test } from 'vitest';
import type { Problem, SymbolStatusView, SymbolView } from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { csvOfLots } from '../support/csv.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { gatedProvider } from '../support/gates.ts';
import { countRows } from '../support/rows.ts';
import { csvOf, startService, type TestService, type Uploaded } from '../support/service.ts';

const ended = (service: TestService, name: string) =>
  service.transition(({ symbol, to }) => symbol === name && to === 'completed');

describeOnEveryDatabase('a symbol by itself', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  const start = async (settings: Record<string, string> = {}) => {
    const provider = gatedProvider(simulatedProvider({ clock: systemClock }));
    return { provider, ...(await startService(database, { provider, settings })) };
  };
  const onboard = <T = SymbolStatusView>(service: TestService, symbol: string) =>
    service.post<T>(`/symbols/${symbol}/onboarding`);

  test('is onboarded without a portfolio: a new job, then the same one, then none', async () => {
    const service = await start();
    const fetching = service.provider.hold('ALONE-B');
    const first = await onboard(service, 'alone.b');
    const place = first.headers.get('location')!;
    expect(first).toMatchObject({ status: 202, body: { symbol: 'ALONE-B' } });
    expect(place).toBe(`/onboarding/jobs/${first.body.job_id}`);
    expect((await service.get(place)).body).toMatchObject({ symbol: 'ALONE-B', reason: 'manual' });

    await fetching.reached;
    const second = await onboard(service, 'ALONE-B');
    expect([second.status, second.headers.get('location')]).toEqual([202, place]);
    expect(service.app.provider.requests().lookup).toBe(1);

    fetching.open();
    await ended(service, 'ALONE-B');
    const third = await onboard(service, 'ALONE-B');
    expect([third.status, third.headers.get('location')]).toEqual([200, null]);
    expect(third.body).toMatchObject({ status: 'ready', message: 'Symbol data available' });
    // Its splits are known as far back as its prices.
    const lastMonth = new Date(Date.now() - 30 * 86_400_000).toISOString().slice(0, 10);
    const lot = { symbol: 'ALONE-B', quantity: '1', price: '10', date: lastMonth };
    const known = await service.upload<Uploaded>(csvOfLots([lot]));
    expect(known).toMatchObject({ status: 201, body: { status: 'ready' } });
  });

  test('has one job, however many ask for it at once', async () => {
    const service = await start();
    const fetching = service.provider.hold('WANTED');
    const answers = await Promise.all(Array.from({ length: 8 }, () => onboard(service, 'WANTED')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(answers.map(({ headers }) => headers.get('location'))).size).toBe(1);
    fetching.open();
    await ended(service, 'WANTED');
  });

  test('is onboarded again when its prices are old, and stays ready', async () => {
    const service = await start();
    await onboard(service, 'AGED');
    await ended(service, 'AGED');
    await service.get('/symbols/AGED/status'); // remembered as it is
    await database.sql(
      `update symbol_universe set last_price_date = last_price_date - 14 where symbol = 'AGED'`,
    );
    const fetching = service.provider.hold('AGED');
    const { status, headers, body } = await onboard(service, 'AGED');
    expect(status).toBe(202);
    expect(body).toMatchObject({
      status: 'ready',
      message: expect.stringContaining('an update is under way'),
    });
    expect(headers.get('location')).toBe(`/onboarding/jobs/${body.job_id}`);
    fetching.open();
    await service.transition(({ job_id, to }) => job_id === body.job_id && to === 'completed');
  });

  test('is refused where it does not exist or is no symbol, and nothing is left behind', async () => {
    const service = await start();
    const before = await countRows(database);
    for (const symbol of ['NOPE', 'ab%20cd', 'A..B']) {
      const { status, body } = await onboard<Problem>(service, symbol);
      expect(status).toBe(422);
      expect(body).toMatchObject({ code: 'invalid_symbols', symbols: [{ reason: expect.any(String) }] });
    }
    expect(service.app.provider.requests().lookup).toBe(1);
    expect(await countRows(database)).toEqual(before);
  });

  test('is 503 while the queue is full, or while nobody can tell whether it exists', async () => {
    const service = await start({ ONBOARDING_QUEUE_DEPTH: '1' });
    const fetching = service.provider.hold('OCCUPIES');
    await onboard(service, 'OCCUPIES');
    await fetching.reached;
    const before = await countRows(database);
    const full = await onboard<Problem>(service, 'LATER');
    expect(full).toMatchObject({ status: 503, body: { code: 'queue_full', depth: 1, limit: 1, needed: 1 } });
    expect(Number(full.headers.get('retry-after'))).toBe(full.body.retry_after_seconds);
    expect(await countRows(database)).toEqual(before);
    fetching.open();
    await ended(service, 'OCCUPIES');

    const market = simulatedProvider({ clock: systemClock });
    const silent = await startService(database, {
      provider: {
        ...market,
        lookup: async (symbols) =>
          symbols.map((symbol) => ({ symbol, verdict: 'unverifiable', reason: 'no answer' })),
      },
    });
    const unverified = await onboard<Problem>(silent, 'LATER');
    expect(unverified).toMatchObject({ status: 503, body: { code: 'symbols_unverifiable' } });
    expect(unverified.headers.get('retry-after')).toBe('30');
  });
});

describeOnEveryDatabase('many symbols', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  test('have their statuses in the order asked, each once, whatever they are', async () => {
    const service = await startService(database);
    const { body } = await service.upload<Uploaded>(csvOf('BRK-B', 'AAPL'));
    await service.settled(body.portfolio_id);
    await service.get('/symbols/AAPL/status'); // one from memory, one from the database
    const path = '/symbols/status?symbols=ZZZ,brk.b,ab%20cd,AAPL,BRK/B,aapl,ZZZ';
    const answer = await service.get<{ symbols: SymbolStatusView[] }>(path);
    expect(answer.body.symbols.map(({ symbol, status }) => [symbol, status])).toEqual([
      ['ZZZ', 'unknown'],
      ['BRK-B', 'ready'],
      ['ab cd', 'unknown'],
      ['AAPL', 'ready'],
    ]);
    const single = await service.get<SymbolStatusView>('/symbols/BRK-B/status');
    expect(answer.body.symbols[1]).toEqual(single.body);
  });

  test('are found by a part of the symbol or the name, literally, in pages that neither repeat nor skip', async () => {
    const names = [
      ['AA_X', 'Alpha 100% Fund'],
      ['AAQX', 'Alphabet'],
      ['^IDX', 'Index of all'],
      ['B-A', null],
      ['BA', 'Boeing'],
      ['alpha', 'lower case sorts last'],
    ] as const;
    await database.sql(
      `insert into symbol_universe (symbol, name) select * from jsonb_to_recordset($1::jsonb) as r(s text, n text)`,
      [JSON.stringify(names.map(([s, n]) => ({ s, n })))],
    );
    const service = await startService(database);
    const search = async (query: string) => {
      const pages: string[][] = [];
      for (let cursor = ''; ; ) {
        const path = `/symbols?limit=2&query=${encodeURIComponent(query)}${cursor}`;
        const { body } = await service.get<{ symbols: SymbolView[]; next_cursor: string | null }>(path);
        pages.push(body.symbols.map(({ symbol }) => symbol));
        if (body.next_cursor === null) return pages.flat();
        cursor = `&cursor=${encodeURIComponent(body.next_cursor)}`;
      }
    };
    const ours = async (query: string) =>
      (await search(query)).filter((symbol) => names.some(([name]) => name === symbol));
    expect(await ours('')).toEqual(['AAQX', 'AA_X', 'B-A', 'BA', '^IDX', 'alpha']);
    expect(await ours('aa')).toEqual(['AAQX', 'AA_X']);
    expect(await ours('_')).toEqual(['AA_X']);
    expect(await ours('100%')).toEqual(['AA_X']);
    expect(await ours('%')).toEqual(['AA_X']);
    expect(await ours('ALPHA')).toEqual(['AAQX', 'AA_X']);
    expect(await ours('boe')).toEqual(['BA']);
    expect(await ours("'; drop table prices; --")).toEqual([]);
    const view = (await service.get<SymbolView>('/symbols/BA')).body;
    const { body } = await service.get<{ symbols: SymbolView[] }>('/symbols?query=boeing');
    expect(body.symbols).toEqual([view]);
  });
});
