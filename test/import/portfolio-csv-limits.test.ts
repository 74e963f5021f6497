import { describe, expect, test } from 'vitest';
import { codes, readCsv, readRows, requiredHeader } from '../portfolio/uploads.ts';

const row = 'AAPL,10,172.40,2025-06-30';

// The time limits catch quadratic work, which would take minutes; they leave room for a busy machine.
describe('limits', { timeout: 180_000 }, () => {
  const rows = (count: number) =>
    Array.from({ length: count }, (_, n) => `S${n % 500},${n + 1},172.40,2025-06-30`);

  test('50,000 rows are read, one more is too many', () => {
    expect(readRows(rows(50_000)).lots).toHaveLength(50_000);
    expect(codes(readRows(rows(50_001)).problems)).toEqual(['ERR_CSV_001']);
  });

  test('10 MiB are read, one byte more is too large', () => {
    const size = 10 * 1024 * 1024;
    const padded = `${requiredHeader}\n${row}\n#`;
    expect(readCsv(padded.padEnd(size, '\n')).lots).toHaveLength(1);
    expect(codes(readCsv(padded.padEnd(size + 1, '\n')).problems)).toEqual(['ERR_CSV_001']);
  });

  test.each([
    ['lines of commas', ',\n'],
    ['short rows', 'a\n'],
    ['one long row', 'a'],
    ['commas', ','],
    ['quotes', '"'],
    ['open quotes', '"a,\n'],
    ['comments', '#\n'],
  ])('10 MiB of %s are answered with one problem', (_, unit) => {
    const { problems } = readCsv(`${requiredHeader}\n`.padEnd(10 * 1024 * 1024, unit));
    expect(problems).toHaveLength(1);
  });

  test('10,000 problems are listed and the rest is counted', () => {
    const { problems } = readRows(Array.from({ length: 12_000 }, (_, n) => `AAPL,0,${n + 1},2025-06-30`));
    expect(problems).toHaveLength(10_001);
    expect(problems?.at(-1)).toMatchObject({ code: 'ERR_CSV_007', value: '2000' });
  });
});
