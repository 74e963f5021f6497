import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { columns } from '../../src/import/columns.ts';
import { portfolioTemplate } from '../../src/import/template-csv.ts';
import { investmentClasses, neededSymbols } from '../../src/portfolio/lots.ts';
import { readCsv } from '../portfolio/uploads.ts';

describe('portfolioTemplate', () => {
  test('uploads as it is, with an example of every class, a short and a closed lot', () => {
    const { lots, problems, warnings } = readCsv(portfolioTemplate());
    expect(problems).toBeNull();
    expect(warnings).toEqual([]);
    expect(new Set(lots?.map((lot) => lot.investmentClass))).toEqual(new Set(investmentClasses));
    expect(lots?.some(({ quantity }) => quantity.startsWith('-'))).toBe(true);
    expect(lots?.some(({ exitDate }) => exitDate !== null)).toBe(true);
  });

  test('names every column', () => {
    expect(portfolioTemplate().split('\r\n')).toContain(columns.map(({ title }) => title).join(','));
  });
});

describe('examples/portfolio.csv', () => {
  const { lots, problems, warnings } = readCsv(
    readFileSync(new URL('../../examples/portfolio.csv', import.meta.url), 'utf8'),
  );

  test('uploads without a problem or a warning', () => {
    expect(problems).toBeNull();
    expect(warnings).toEqual([]);
    expect(lots?.length).toBeGreaterThanOrEqual(25);
  });

  test('needs more than 20 symbols, and no more than the default queue takes', () => {
    const needed = neededSymbols(lots ?? []);
    expect(needed.length).toBeGreaterThan(20);
    expect(needed.length).toBeLessThanOrEqual(50);
    expect(needed).toEqual(expect.arrayContaining(['AAPL', 'BRK-B', 'NEW13']));
  });

  test('is in dollars, and was bought on weekdays', () => {
    for (const { currency, entryDate, investmentClass } of lots ?? []) {
      expect(currency).toBe(investmentClass === 'CASH' ? 'USD' : null);
      expect([0, 6]).not.toContain(new Date(entryDate).getUTCDay());
    }
  });
});
