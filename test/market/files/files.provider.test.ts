import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from 'vitest';
import { filesProvider } from '../../../src/market/files/files.provider.ts';
import type { MarketDataProvider } from '../../../src/market/provider.ts';
import { temporaryDirectory } from '../../support/directories.ts';

const now = Date.parse('2026-07-31T22:00:00Z');
const year = { from: '2025-07-31', to: '2026-07-31' };
let directory: string;
let provider: MarketDataProvider;

beforeEach(() => {
  directory = temporaryDirectory();
  provider = filesProvider({ directory, clock: { now: () => now } });
});
const put = (name: string, content: string | Uint8Array) => writeFileSync(join(directory, name), content);
const closes = async (symbol: string, more = {}) =>
  (await provider.history({ symbol, ...year, ...more })).bars.map(({ date, close, adjustedClose }) => [
    date,
    close,
    adjustedClose,
  ]);
const failure = (symbol: string) => provider.history({ symbol, ...year }).catch((error: unknown) => error);
const verdict = async (symbol: string) => (await provider.lookup([symbol]))[0]!;

describe('a file per symbol', () => {
  test('has its columns in any order and case, its rows in any order, and what is not there is unknown', async () => {
    put(
      'AAPL.csv',
      'CLOSE,Date,Adj Close,Volume,Stock Splits,Dividends,Notes\n' +
        '101.50,2026-07-31,101.5,1000,0,0,\n' +
        '100.25,2026-07-30,100.125,900,4:1,0.24,a split\n',
    );
    const { bars, actions, instrument } = await provider.history({ symbol: 'AAPL', ...year });
    expect(bars).toEqual([
      {
        date: '2026-07-30',
        open: null,
        high: null,
        low: null,
        close: '100.25',
        adjustedClose: 100.125,
        volume: '900',
      },
      {
        date: '2026-07-31',
        open: null,
        high: null,
        low: null,
        close: '101.5',
        adjustedClose: 101.5,
        volume: '1000',
      },
    ]);
    expect(actions).toEqual([
      { date: '2026-07-30', kind: 'split', numerator: 4, denominator: 1 },
      { date: '2026-07-30', kind: 'dividend', amount: '0.24' },
    ]);
    expect(instrument).toMatchObject({ currency: 'USD', type: 'EQUITY', timeZone: 'America/New_York' });
  });

  test('may be gzipped, begin with a byte order mark, end its lines as Windows does, and hold comments', async () => {
    put(
      'MSFT.csv.gz',
      gzipSync('\ufeff# from the desk\r\ndate,close\r\n2026-07-30,1\r\n\r\n2026-07-31,2\r\n'),
    );
    expect(await closes('MSFT')).toEqual([
      ['2026-07-30', '1', 1],
      ['2026-07-31', '2', 2],
    ]);
  });

  test('as yfinance writes it: times behind the dates, doubles that were float32', async () => {
    put(
      'NVDA.csv',
      'Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n' +
        '2026-07-30 00:00:00-04:00,1,1,1,239.64999389648438,5,0.0,0.0\n' +
        '2026-07-31 00:00:00-04:00,1,1,1,240.1,5,0.0,10.0\n',
    );
    expect((await closes('NVDA')).map(([date, close]) => [date, close])).toEqual([
      ['2026-07-30', '239.65'],
      ['2026-07-31', '240.1'],
    ]);
  });

  test('with an empty close has no bar there; of two rows of a day the later one holds', async () => {
    put('GAPS.csv', 'date,close\n2026-07-28,1\n2026-07-29,\n2026-07-30,null\n2026-07-31,2\n2026-07-28,3\n');
    expect(await closes('GAPS')).toEqual([
      ['2026-07-28', '3', 3],
      ['2026-07-31', '2', 2],
    ]);
  });

  test.each([
    ['Datum,Kurs\n', 'BAD.csv line 1: expected a header with the columns date and close, got: "Datum,Kurs"'],
    [
      'date,close\n2026-07-30,1\n31.07.2026,2\n',
      'BAD.csv line 3: expected the date to be a day such as 2026-07-30, got: "31.07.2026"',
    ],
    [
      'date,close\n2026-02-30,1\n',
      'BAD.csv line 2: expected the date to be a day such as 2026-07-30, got: "2026-02-30"',
    ],
    [
      'date,close\n2026-07-30,"1,234.50"\n',
      'BAD.csv line 2: expected close to be a number such as 239.65, or empty, got: "1,234.50"',
    ],
    ['date,close\n2026-07-30,-1\n', 'BAD.csv line 2: expected close to be a price > 0, or empty, got: "-1"'],
    [
      'date,close,splits\n2026-07-30,1,ten\n',
      'BAD.csv line 2: expected the split to be a ratio such as 10:1, or empty, got: "ten"',
    ],
    ['date,close\n2026-07-30,"1\n', 'BAD.csv line 2: expected well-formed CSV, got: "Quote Not Closed'],
    ['# from the desk\n\ndate,close\n\n?,1\n', 'BAD.csv line 5: expected the date'],
    ['', 'BAD.csv line 1: expected a header'],
  ])('that is wrong says where: %j', async (content, message) => {
    put('BAD.csv', content);
    put('GOOD.csv', 'date,close\n2026-07-30,1\n2026-07-31,2\n');
    expect(await failure('BAD')).toMatchObject({
      code: 'unusable_data',
      retryable: false,
      message: expect.stringContaining(message),
    });
    expect(await closes('GOOD')).toHaveLength(2);
  });

  test('that is no gzip after all says so', async () => {
    put('BAD.csv.gz', 'date,close\n');
    expect(await failure('BAD')).toMatchObject({
      code: 'unusable_data',
      message: expect.stringContaining('a whole gzip file'),
    });
  });

  test('is found by its symbol, whatever the case and the encoding of its name', async () => {
    const content = 'date,close\n2026-07-29,1\n2026-07-30,2\n';
    for (const name of [
      'brk-b.CSV',
      '%5EGSPC.csv',
      'GBPUSD=X.csv',
      'VOD.L.csv',
      'readme.txt',
      'two words.csv',
    ])
      put(name, content);
    mkdirSync(join(directory, 'FOLDER.csv'));
    for (const symbol of ['BRK-B', '^GSPC', 'GBPUSD=X', 'VOD.L']) {
      expect(await verdict(symbol)).toMatchObject({ verdict: 'valid' });
      expect(await closes(symbol)).toHaveLength(2);
    }
    for (const symbol of ['FOLDER', 'README', 'TWO WORDS'])
      expect(await verdict(symbol)).toMatchObject({ verdict: 'invalid' });
    put('AAPL.csv', content);
    put('aapl.csv.gz', gzipSync(content));
    put('%41APL.csv', content);
    expect(await failure('AAPL')).toMatchObject({
      code: 'unusable_data',
      message: expect.stringMatching(/expected one file for AAPL, got: "(AAPL|%41APL).csv/i),
    });
    expect(await closes('VOD.L')).toHaveLength(2);
  });

  // As most vendors spell a share class; whoever asks for it has had it normalised.
  test('is found by its share class, however that is spelt, here and in the files of many symbols', async () => {
    const content = 'date,close\n2026-07-29,1\n2026-07-30,2\n';
    put('BRK.B.csv', content);
    put('prices.csv', 'date,BF.B,VOD.L\n2026-07-29,1,2\n2026-07-30,2,3\n');
    put('instruments.csv', 'symbol,name\nBRK/B,Berkshire\n');
    for (const symbol of ['BRK-B', 'BF-B', 'VOD.L']) expect(await closes(symbol)).toHaveLength(2);
    expect(await verdict('BRK-B')).toMatchObject({ instrument: { symbol: 'BRK-B', name: 'Berkshire' } });
    put('BRK-B.csv', content);
    expect(await failure('BRK-B')).toMatchObject({ message: expect.stringContaining('one file for BRK-B') });
  });

  test('is never one outside of the directory, whatever the symbol', async () => {
    mkdirSync(join(directory, 'inner'));
    put('SECRET.csv', 'date,close\n2026-07-30,1\n2026-07-31,2\n');
    const inner = filesProvider({ directory: join(directory, 'inner'), clock: { now: () => now } });
    writeFileSync(join(directory, 'inner', 'A.csv'), 'date,close\n');
    for (const symbol of ['../SECRET', '..%2FSECRET', '/etc/passwd', '..', 'A/../../SECRET', 'SECRET\0']) {
      expect(await inner.lookup([symbol])).toMatchObject([{ verdict: 'invalid' }]);
      await expect(inner.history({ symbol, ...year })).rejects.toMatchObject({ code: 'symbol_not_found' });
    }
  });

  test('is read anew each time: tomorrow’s prices need no restart', async () => {
    put('AAPL.csv', 'date,close\n2026-07-29,1\n2026-07-30,2\n');
    expect(await closes('AAPL')).toHaveLength(2);
    put('AAPL.csv', 'date,close\n2026-07-29,1\n2026-07-30,2\n2026-07-31,3\n');
    expect(await closes('AAPL')).toHaveLength(3);
  });
});

describe('a wide file', () => {
  const wide = 'date,AAPL,brk-b,BAD\n2026-07-29,1.5,,1\n2026-07-30,2.5,20,oops\n2026-07-31,3.5,30,-1\n';

  test('has dates down and symbols across; empty cells are no bars', async () => {
    put('prices.csv', wide);
    expect(await closes('AAPL')).toEqual([
      ['2026-07-29', '1.5', 1.5],
      ['2026-07-30', '2.5', 2.5],
      ['2026-07-31', '3.5', 3.5],
    ]);
    expect(await closes('BRK-B')).toHaveLength(2);
    expect(await verdict('MSFT')).toMatchObject({ verdict: 'invalid' });
  });

  test('that is wrong in one column is wrong for that symbol only', async () => {
    put('prices.csv', wide);
    expect(await verdict('BAD')).toMatchObject({ verdict: 'valid' });
    expect(await failure('BAD')).toMatchObject({
      code: 'unusable_data',
      message: expect.stringContaining(
        'prices.csv line 3: expected BAD to be a price > 0, or empty, got: "oops"',
      ),
    });
  });

  test('takes adjusted closes from its twin, and gives way to a symbol’s own file', async () => {
    put('prices.csv.gz', gzipSync(wide));
    put('adjusted.csv', 'date,AAPL\n2026-07-29,1.25\n2026-07-30,2.25\n2026-07-31,3.5\n');
    put('BRK-B.csv', 'date,close\n2026-07-30,7\n2026-07-31,8\n');
    expect((await closes('AAPL')).map(([, , adjusted]) => adjusted)).toEqual([1.25, 2.25, 3.5]);
    expect((await closes('BRK-B')).map(([, close]) => close)).toEqual(['7', '8']);
  });

  test('is read anew when it has changed', async () => {
    put('prices.csv', wide);
    expect(await verdict('NEWLY')).toMatchObject({ verdict: 'invalid' });
    put('prices.csv', `${wide.replace('BAD', 'NEWLY,BAD')}`);
    expect(await verdict('NEWLY')).toMatchObject({ verdict: 'valid' });
  });

  test('that cannot be used is an outage, for it might have any symbol', async () => {
    put('prices.csv', 'date,AAPL\nyesterday,1\n');
    expect(await verdict('AAPL')).toMatchObject({
      verdict: 'unverifiable',
      reason: expect.stringContaining(
        'prices.csv line 2: expected a day such as 2026-07-30, got: "yesterday"',
      ),
    });
    expect(await failure('AAPL')).toMatchObject({ code: 'provider_unavailable', retryable: true });
  });
});

describe('the instruments file', () => {
  const pence = 'date,close,dividends\n2026-07-30,7210.5,\n2026-07-31,7250,150\n';

  test('tells what a symbol’s spelling does not: pence become pounds, in bars and dividends', async () => {
    put('VOD.L.csv', pence);
    expect((await provider.history({ symbol: 'VOD.L', ...year })).instrument.currency).toBeNull();
    put('instruments.csv', 'Symbol,Name,Currency,Type,Time Zone,Exchange\nVOD.L,Vodafone,GBp,,,LSE\n');
    const { bars, actions, instrument } = await provider.history({ symbol: 'VOD.L', ...year });
    expect(instrument).toEqual({
      symbol: 'VOD.L',
      name: 'Vodafone',
      type: 'EQUITY',
      currency: 'GBP',
      exchange: 'LSE',
      timeZone: 'Europe/London',
      sessionEnd: '16:30',
    });
    expect(bars.map(({ close }) => close)).toEqual(['72.105', '72.5']);
    expect(actions).toEqual([{ date: '2026-07-31', kind: 'dividend', amount: '1.5' }]);
  });

  test.each([
    ['symbol,currency\nX,pounds\n', 'instruments.csv line 2: expected currency to be an ISO code'],
    ['symbol,type\nX,shares\n', 'instruments.csv line 2: expected type to be one of EQUITY'],
    ['symbol,time_zone\nX,London\n', 'instruments.csv line 2: expected time_zone to be an IANA name'],
    ['symbol,session_end\nX,4pm\n', 'instruments.csv line 2: expected session_end to be HH:MM, got: "4pm"'],
    ['symbol,exchange\nX,here is a long name and not a code\n', 'expected exchange to have at most 32'],
  ])('that is wrong about a symbol says where: %j', async (content, message) => {
    put('X.csv', 'date,close\n2026-07-30,1\n2026-07-31,2\n');
    put('instruments.csv', content);
    expect(await verdict('X')).toMatchObject({ verdict: 'valid', instrument: null });
    expect(await failure('X')).toMatchObject({
      code: 'unusable_data',
      message: expect.stringContaining(message),
    });
  });
});

describe('a directory that is not there', () => {
  test.each([
    ['gone', () => rmSync(directory, { recursive: true }), /cannot be read: ENOENT/],
    ['empty, like a disk that is not mounted', () => {}, /holds no price file/],
    ['without any prices', () => put('instruments.csv', 'symbol\nAAPL\n'), /holds no price file/],
  ])('because it is %s, is an outage and no verdict', async (_, make, reason) => {
    make();
    expect(await verdict('AAPL')).toMatchObject({
      verdict: 'unverifiable',
      reason: expect.stringMatching(reason),
    });
    expect(await failure('AAPL')).toMatchObject({ code: 'provider_unavailable', retryable: true });
  });
});
