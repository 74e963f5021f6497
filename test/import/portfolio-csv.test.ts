import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { columns } from '../../src/import/columns.ts';
import { csvCell } from '../../src/import/csv-cells.ts';
import { codes, readBytes, readCsv, readRows, requiredHeader } from '../portfolio/uploads.ts';

const row = 'AAPL,10,172.40,2025-06-30';
const bad = 'AAPL,zero,172.40,2025-06-30';
const linesOf = (text: string) => readCsv(text).problems?.map(({ line }) => line);

describe('a portfolio CSV', () => {
  test.each([
    ['a byte order mark', `\ufeff${requiredHeader}\n${row}\n`],
    ['CRLF', `${requiredHeader}\r\n${row}\r\n`],
    ['LF without a last line end', `${requiredHeader}\n${row}`],
    ['old line ends', `${requiredHeader}\r${row}\r`],
    ['mixed line ends', `# note\r\n${requiredHeader}\n${row}\r\n`],
    ['blank lines and lines of commas', `\n\n${requiredHeader}\n\n,,,\n${row}\n   \n`],
    ['comments', `# "a", comment\n${requiredHeader}\n#${row}\n${row}\n# end`],
    ['comments that a spreadsheet saved', `"# one, two",,,\n${requiredHeader}\n# three,,,\n${row}`],
    [
      'a header in any case and order',
      `entry date, QUANTITY ,symbol,Entry price per share\n2025-06-30,10,AAPL,172.40`,
    ],
    [
      'quoted cells',
      `"Symbol","Quantity","Entry Price Per Share","Entry Date"\n"AAPL"," 10 ","172.40","2025-06-30"`,
    ],
    ['empty columns behind the last', `${requiredHeader},,\n${row},,\n${row.replace('10', '11')},,,,`],
  ])('may have %s', (_, text) => {
    const { lots, problems, warnings } = readCsv(text);
    expect(problems).toBeNull();
    expect(warnings).toEqual([]);
    expect(lots?.[0]).toMatchObject({
      symbol: 'AAPL',
      quantity: '10',
      entryPrice: '172.4',
      entryDate: '2025-06-30',
    });
  });

  test('fills every column of a lot', () => {
    const header = columns.map(({ title }) => title).join(',');
    const { lots } = readCsv(
      `${header}\nX,-3,7,2025-06-30,options,etf option,spy,460.5,2028-01-21,put,2025-07-01,0.05,GBX`,
    );
    expect(lots).toEqual([
      {
        line: 2,
        symbol: 'X',
        needs: null,
        investmentClass: 'OPTIONS',
        investmentSubtype: 'ETF_OPTION',
        underlyingSymbol: 'SPY',
        strikePrice: '4.605',
        expirationDate: '2028-01-21',
        optionType: 'PUT',
        quantity: '-3',
        multiplier: 100,
        entryPrice: '0.07',
        entryDate: '2025-06-30',
        exitDate: '2025-07-01',
        exitPrice: '0.0005',
        currency: 'GBP',
        quoteUnit: 'GBX',
      },
    ]);
  });

  test('names problems by row, column, value, code and cure, all at once', () => {
    const { lots, problems } = readRows([row, 'VT MGX,"1,200",-1,30.06.2025', row]);
    expect(lots).toBeNull();
    expect(problems).toMatchObject([
      { line: 3, column: 'Symbol', value: 'VT MGX', code: 'ERR_POS_003' },
      { line: 3, column: 'Quantity', value: '1,200', code: 'ERR_POS_005' },
      { line: 3, column: 'Entry Price Per Share', value: '-1', code: 'ERR_POS_010' },
      { line: 3, column: 'Entry Date', value: '30.06.2025', code: 'ERR_POS_013' },
      { line: 4, column: null, code: 'ERR_POS_023', relatedLine: 2 },
    ]);
    expect(problems?.[3]?.message).toBe('The entry date is not a date. Write it as YYYY-MM-DD: 2025-06-30.');
  });

  test('never evaluates a formula, and calls it what it is', () => {
    const { problems } = readRows(['=HYPERLINK("x"),=1+1,@SUM(A1),+2025'.replaceAll('"', "'")]);
    expect(codes(problems)).toEqual(['ERR_POS_003', 'ERR_POS_005', 'ERR_POS_009', 'ERR_POS_013']);
  });
});

describe('row numbers', () => {
  test('are those of a spreadsheet: comments and blank lines count', () => {
    expect(
      linesOf(`# one\n\n${requiredHeader}\n# four\n${bad}\n,,,\n\n${bad.replace('AAPL', 'MSFT')}\n`),
    ).toEqual([5, 8]);
  });

  test('do not count a line break inside quotes', () => {
    const text = `${requiredHeader},Notes\r\n${row},"two\r\nlines"\r\n# "note\r\n${bad},\r\n`;
    expect(linesOf(text)).toEqual([4]);
  });

  test('are right whatever stands between the rows (property)', () => {
    const filler = fc.constantFrom('', '# note', '# "open, quote', ',,,,', '   ', '"# quoted, comment",,,,');
    const good = fc
      .integer({ min: 1, max: 9999 })
      .map((n) => `AAPL,${n}.5,172.40,2025-06-30,"a\n\n""b"" ${n}"`);
    const wrong = fc.integer({ min: 1, max: 9999 }).map((n) => `AAPL,0,172.40,2025-06-30,wrong ${n}`);
    const end = fc.constantFrom('\n', '\r\n');
    fc.assert(
      fc.property(fc.array(filler), fc.array(fc.oneof(filler, good, wrong)), end, (before, rows, eol) => {
        const records = [...before, `${requiredHeader},Notes`, ...new Set(rows)];
        const expected = records.flatMap((record, index) => (record.includes(',wrong') ? [index + 1] : []));
        const { problems } = readCsv(records.join(eol));
        const found = problems?.filter(({ code }) => code === 'ERR_POS_006').map(({ line }) => line);
        expect(found ?? []).toEqual(expected);
      }),
    );
  });
});

describe('the header', () => {
  test('reports each missing column, and still checks the rows for the others', () => {
    const { problems } = readCsv('Symbol,Quantity,Price\nVT MGX,10,5\nAAPL,0,7');
    expect(problems?.map(({ line, column, code }) => [line, column, code])).toEqual([
      [1, 'Entry Price Per Share', 'ERR_CSV_004'],
      [1, 'Entry Date', 'ERR_CSV_004'],
      [2, 'Symbol', 'ERR_POS_003'],
      [3, 'Quantity', 'ERR_POS_006'],
    ]);
  });

  test('warns about columns that are not ours', () => {
    const { lots, warnings } = readRows([`${row},x,y`], { columns: ',Account,=cmd' });
    expect(lots).toHaveLength(1);
    expect(warnings.map(({ line, column, code }) => [line, column, code])).toEqual([
      [1, 'Account', 'WARN_CSV_001'],
      [1, '=cmd', 'WARN_CSV_001'],
    ]);
  });

  test('may not name a column twice', () => {
    const { problems } = readRows([`${row},11`], { columns: ',quantity' });
    expect(problems).toMatchObject([{ line: 1, column: 'quantity', code: 'ERR_CSV_006' }]);
  });

  test('asks for the names where the first row is a position', () => {
    expect(codes(readCsv(`${row}\n${row}`).problems)).toEqual(Array(4).fill('ERR_CSV_004'));
  });

  test.each([
    [';', 'semicolons'],
    ['\t', 'tabs'],
    ['|', 'bars'],
  ])('separated by %j is recognised', (separator, name) => {
    const { problems } = readCsv(`${requiredHeader}\n${row}`.replaceAll(',', separator));
    expect(codes(problems)).toEqual(['ERR_CSV_002']);
    expect(problems?.[0]?.message).toContain(`separated by ${name}`);
  });
});

describe('equal rows', () => {
  test('differ when a column that is not ours does: two accounts hold two lots', () => {
    expect(readRows([`${row},Joint`, `${row},Mine`], { columns: ',Account' }).lots).toHaveLength(2);
    expect(codes(readRows([`${row},Joint`, `${row},Joint`], { columns: ',Account' }).problems)).toEqual([
      'ERR_POS_023',
    ]);
  });

  test('are found when they are wrong as well', () => {
    expect(codes(readRows([bad, bad]).problems)).toEqual(['ERR_POS_005', 'ERR_POS_023', 'ERR_POS_005']);
  });
});

describe('what is not a portfolio CSV', () => {
  test.each([
    ['nothing', 'ERR_CSV_003', ''],
    ['blank lines', 'ERR_CSV_003', '\n \n\r\n'],
    ['comments', 'ERR_CSV_003', '# nothing\n# here'],
    ['a header alone', 'ERR_CSV_003', requiredHeader],
    ['prose', 'ERR_CSV_002', 'Dear Sir'],
    ['a web page', 'ERR_CSV_002', '<!doctype html>\n<html></html>'],
    ['NUL bytes', 'ERR_CSV_002', `${requiredHeader}\n\0`],
  ])('%s is answered with %s', (_, code, text) => {
    expect(codes(readCsv(text).problems)).toEqual([code]);
  });

  test.each([
    ['a workbook', [0x50, 0x4b, 0x03, 0x04], 'ERR_CSV_002', 'workbook'],
    ['an old workbook', [0xd0, 0xcf, 0x11, 0xe0, 0xa1], 'ERR_CSV_002', 'workbook'],
    ['a PDF', [0x25, 0x50, 0x44, 0x46, 0x2d], 'ERR_CSV_002', 'CSV UTF-8'],
    ['UTF-16', [0xff, 0xfe, 0x53, 0x00], 'ERR_CSV_005', 'UTF-16'],
  ])('%s is recognised', (_, bytes, code, advice) => {
    const { problems } = readBytes(Uint8Array.from(bytes));
    expect(codes(problems)).toEqual([code]);
    expect(problems?.[0]?.message).toContain(advice);
  });

  test('text in another encoding is refused at its line', () => {
    const latin1 = new Uint8Array(
      Buffer.from(`${requiredHeader}\n${row}\nSoci\u00e9t\u00e9,1,1,2025-01-01`, 'latin1'),
    );
    expect(readBytes(latin1).problems).toMatchObject([{ code: 'ERR_CSV_005', line: 3 }]);
  });

  test('a quote that is never closed is refused where it opens, with the problems before it', () => {
    const { problems } = readRows([bad, '"AAPL,1,1,2025-06-30', bad]);
    expect(problems?.map(({ line, code }) => [line, code])).toEqual([
      [2, 'ERR_POS_005'],
      [3, 'ERR_CSV_006'],
    ]);
    expect(problems?.[1]?.message).toMatch(/never closed.*rows after it were not read/);
  });

  test('a quote inside a value is refused', () => {
    expect(readRows([row, '6" pipe,1,1,2025-06-30']).problems).toMatchObject([
      { line: 3, code: 'ERR_CSV_006' },
    ]);
    expect(readRows([row, '"6" pipe,1,1,2025-06-30']).problems).toMatchObject([
      { line: 3, code: 'ERR_CSV_006' },
    ]);
  });

  test('a row that does not lie under the header is refused, and the others still read', () => {
    const { problems } = readRows(['AAPL,1,200.50,172.40,2025-06-30', 'AAPL,10', bad]);
    expect(problems?.map(({ line, code }) => [line, code])).toEqual([
      [2, 'ERR_CSV_006'],
      [3, 'ERR_CSV_006'],
      [4, 'ERR_POS_005'],
    ]);
    expect(problems?.[0]?.message).toContain('without thousands separators');
    expect(problems?.[1]?.message).toContain('2 cells, but the header has 4');
  });
});

describe('parsePortfolioCsv', () => {
  test('never throws, whatever the bytes (property)', () => {
    const pieces = fc.constantFrom(
      requiredHeader,
      row,
      '\n',
      '\r',
      '"',
      ',',
      '#',
      '\ufeff',
      '\0',
      'é',
      '=1',
      'USD',
      '1',
    );
    const text = fc.array(fc.oneof(pieces, fc.string({ unit: 'binary' }))).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), text), (input) => {
        const { lots, problems } = typeof input === 'string' ? readCsv(input) : readBytes(input);
        expect(lots === null).toBe(problems !== null);
        expect((lots ?? problems).length).toBeGreaterThan(0);
      }),
      { numRuns: 1000 },
    );
  });

  test('reads back what was written for it (property)', () => {
    const cents = fc
      .integer({ min: 1, max: 10 ** 9 })
      .map((n) => `${Math.floor(n / 100)}.${String(n % 100).padStart(2, '0')}`);
    const price = cents.filter((text) => Number(text) > 0);
    const lot = fc.tuple(
      fc.constantFrom('AAPL', 'BRK.B', 'VOD.L'),
      fc.constantFrom('', '-'),
      price,
      price,
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(lot, { minLength: 1 }), (lots) => {
        const text = lots.map(([symbol, sign, quantity, entryPrice, note]) =>
          [symbol, sign + quantity, entryPrice, '2025-06-30', note.replaceAll('\0', '')]
            .map(csvCell)
            .join(','),
        );
        const read = readRows(text, { columns: ',Notes', allowDuplicates: true });
        expect(read.lots?.map(({ quantity }) => Number(quantity))).toEqual(
          lots.map(([, sign, quantity]) => Number(sign + quantity)),
        );
        expect(read.lots?.map(({ entryPrice }) => Number(entryPrice))).toEqual(
          lots.map(([, , , p]) => Number(p)),
        );
      }),
    );
  });
});
