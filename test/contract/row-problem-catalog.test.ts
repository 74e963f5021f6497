import { describe, expect, test } from 'vitest';
import { type RowProblemCode, rowProblemCatalog } from '../../src/contract/row-problem-catalog.ts';
import { minorUnitWarning } from '../../src/portfolio/minor-unit-warning.ts';
import { splitWarning } from '../../src/portfolio/split-warning.ts';
import { deferredWarnings } from '../../src/upload/deferred-verification.ts';
import { marketRemarks } from '../../src/upload/price-warnings.ts';
import {
  cash,
  codes,
  lotOf,
  option,
  readBytes,
  readCsv,
  readJson,
  readRows,
  requiredHeader,
} from '../portfolio/uploads.ts';

type Reading = ReturnType<typeof readCsv>;
const json = (change: Record<string, string>) => (): Reading => readJson([change]);
const raw = (...bytes: number[]) => Uint8Array.from(bytes);
const row = 'AAPL,10,172.40,2025-06-30';

/** For each code one upload that it answers, with nothing else wrong. */
const producers: Record<RowProblemCode, () => Reading> = {
  ERR_CSV_001: () => readBytes(new Uint8Array(10 * 1024 * 1024 + 1).fill(0x0a)),
  ERR_CSV_002: () => readBytes(raw(0x50, 0x4b, 0x03, 0x04, 0x14)),
  ERR_CSV_003: () => readCsv(`${requiredHeader}\n`),
  ERR_CSV_004: () => readCsv('Symbol,Quantity,Entry Price Per Share\nAAPL,10,172.40'),
  ERR_CSV_005: () => readBytes(raw(0x41, 0x0a, 0xe9, 0x0a)),
  ERR_CSV_006: () => readRows(['AAPL,10,172.40']),
  ERR_CSV_007: () => readRows(Array.from({ length: 10_001 }, (_, n) => `AAPL,0,${n + 1},2025-06-30`)),
  ERR_POS_001: json({ symbol: ' ' }),
  ERR_POS_002: json({ symbol: 'A'.repeat(33) }),
  ERR_POS_003: json({ symbol: 'VT MGX' }),
  ERR_POS_004: json({ quantity: '' }),
  ERR_POS_005: json({ quantity: 'LOTS' }),
  ERR_POS_006: json({ quantity: '0.00' }),
  ERR_POS_007: json({ quantity: '185.1234567' }),
  ERR_POS_008: json({ entry_price: '' }),
  ERR_POS_009: json({ entry_price: 'EXPENSIVE' }),
  ERR_POS_010: json({ entry_price: '-58.80' }),
  ERR_POS_011: json({ entry_price: '63.1234567' }),
  ERR_POS_012: json({ entry_date: '' }),
  ERR_POS_013: json({ entry_date: '06/30/2025' }),
  ERR_POS_014: json({ entry_date: '2026-08-01' }),
  ERR_POS_015: json({ entry_date: '1926-07-30' }),
  ERR_POS_016: json({ investment_class: 'CRYPTO' }),
  ERR_POS_017: json({ investment_class: 'PUBLIC', investment_subtype: 'FUND' }),
  ERR_POS_018: json({ ...option, underlying_symbol: '' }),
  ERR_POS_019: json({ ...option, strike_price: '' }),
  ERR_POS_020: json({ ...option, expiration_date: '' }),
  ERR_POS_021: json({ ...option, option_type: '' }),
  ERR_POS_022: json({ ...option, option_type: 'STRADDLE' }),
  ERR_POS_023: () => readRows([row, row]),
  ERR_POS_024: json({ ...option, underlying_symbol: 'AAPL*' }),
  ERR_POS_025: json({ ...option, strike_price: '0' }),
  ERR_POS_026: json({ ...option, expiration_date: '2028-02-30' }),
  ERR_POS_027: json({ ...option, expiration_date: '2025-06-29' }),
  ERR_POS_028: json({ exit_date: 'yesterday', exit_price: '180' }),
  ERR_POS_029: json({ exit_date: '2026-08-01', exit_price: '180' }),
  ERR_POS_030: json({ exit_date: '2025-06-29', exit_price: '180' }),
  ERR_POS_031: json({ exit_price: '180' }),
  ERR_POS_032: json({ exit_date: '2025-07-01', exit_price: '-1' }),
  ERR_POS_033: json({ exit_date: '2025-07-01', exit_price: '1.1234567' }),
  ERR_POS_034: json({ ...option, investment_class: 'PUBLIC' }),
  ERR_POS_035: json({ symbol: 'USD', entry_price: '1' }),
  ERR_POS_036: json({ ...cash, symbol: 'CASH' }),
  ERR_POS_037: json({ ...cash, entry_price: '1.5' }),
  ERR_POS_038: json({ currency: 'XYZ' }),
  ERR_POS_039: json({ ...cash, currency: 'EUR' }),
  ERR_POS_040: json({ quantity: '1000000000000000' }),
  WARN_CSV_001: () => readRows([`${row},mine`], { columns: ',Notes' }),
  WARN_CSV_002: () =>
    readCsv(
      `${requiredHeader},${Array.from({ length: 1001 }, (_, n) => `note ${n}`).join(',')}\n${row}${','.repeat(1001)}`,
    ),
  WARN_POS_001: json({ exit_date: '2025-07-01' }),
  WARN_POS_002: json({ ...option, expiration_date: '2026-07-30' }),
  WARN_POS_003: json({ currency: 'EUR' }),
  // An upload has no close to compare with: this one comes with the first price.
  WARN_POS_004: () => {
    const lot = lotOf({ symbol: 'VOD.L', entry_price: '7210' });
    const warning = minorUnitWarning(lot, { symbolCurrency: 'GBP', lastClose: '72.10' });
    return { lots: [lot], problems: null, warnings: warning ? [warning] : [] };
  },
  // Nor does it know the currency of a symbol.
  WARN_POS_005: () => {
    const lot = lotOf({ symbol: 'GONE', exit_date: '2025-07-01', exit_price: '180' });
    return {
      lots: [lot],
      problems: null,
      warnings: marketRemarks([lot], { quotes: new Map(), baseCurrency: 'JPY' }),
    };
  },
  // Nor does it know of splits: this one comes with the symbol.
  split_since_entry: () => {
    const lot = lotOf({ symbol: 'NVDA', entry_date: '2024-06-07' });
    const warning = splitWarning(lot, [{ date: '2024-06-10', numerator: '10', denominator: '1' }]);
    return { lots: [lot], problems: null, warnings: warning ? [warning] : [] };
  },
  // Nor does it ask a provider: this one comes with the provider's verdicts.
  WARN_SYM_001: () => {
    const lot = lotOf({ symbol: 'AAPL' });
    const verdicts = [{ symbol: 'AAPL', verdict: 'unverifiable', reason: 'It did not answer' }] as const;
    return { lots: [lot], problems: null, warnings: deferredWarnings([lot], verdicts) };
  },
};

const catalogued = Object.keys(rowProblemCatalog) as RowProblemCode[];

describe('rowProblemCatalog', () => {
  test.each(catalogued.filter((code) => code.startsWith('ERR_')))(
    '%s answers an upload in which nothing else is wrong',
    (code) => {
      const { lots, problems, warnings } = producers[code]();
      expect(lots).toBeNull();
      const found = new Set(codes(problems));
      if (code === 'ERR_CSV_007') found.delete('ERR_POS_006');
      expect([...found]).toEqual([code]);
      expect(warnings).toEqual([]);
    },
  );

  test.each(catalogued.filter((code) => !code.startsWith('ERR_')))(
    '%s comes with lots that are taken',
    (code) => {
      const { lots, warnings } = producers[code]();
      expect(lots?.length).toBeGreaterThan(0);
      const found = new Set(codes(warnings));
      if (code === 'WARN_CSV_002') found.delete('WARN_CSV_001');
      expect([...found]).toEqual([code]);
    },
  );

  test.each(catalogued)('%s says what is wrong and how to fix it, in sentences', (code) => {
    const { title, fix } = rowProblemCatalog[code];
    expect(title).toMatch(/^[A-Z].*[^.]$/);
    expect(fix).toMatch(/^[A-Z].*\.$/);
    expect(title.length + fix.length).toBeLessThan(300);
  });

  test('numbers its errors without a gap', () => {
    for (const family of ['ERR_CSV_', 'ERR_POS_', 'WARN_CSV_', 'WARN_POS_', 'WARN_SYM_']) {
      const numbers = catalogued
        .filter((code) => code.startsWith(family))
        .map((code) => Number(code.slice(-3)));
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    }
  });
});
