import type { RowProblem } from '../../src/contract/row-problems.ts';
import { parsePortfolioCsv } from '../../src/import/portfolio-csv.ts';
import { type ValidationOptions, validatePositions } from '../../src/import/validate-positions.ts';
import type { Lot } from '../../src/portfolio/lots.ts';

export const today = '2026-07-31';
export const requiredHeader = 'Symbol,Quantity,Entry Price Per Share,Entry Date';

const options: ValidationOptions = { today, baseCurrency: 'USD' };

export const readBytes = (bytes: Uint8Array, more: Partial<ValidationOptions> = {}) =>
  parsePortfolioCsv(bytes, { ...options, ...more });

export const readCsv = (text: string, more: Partial<ValidationOptions> = {}) =>
  readBytes(new TextEncoder().encode(text), more);

/** Rows of the four required columns and perhaps more, below their header. */
export const readRows = (rows: string[], more: Partial<ValidationOptions> & { columns?: string } = {}) => {
  const { columns = '', ...rest } = more;
  return readCsv([requiredHeader + columns, ...rows].join('\n'), rest);
};

/** A JSON upload of sound rows, each changed as said. */
export const readJson = (
  changes: Record<string, string | null | undefined>[],
  more: Partial<ValidationOptions> = {},
) =>
  validatePositions(
    changes.map((change) => ({ ...soundRow, ...change })),
    { ...options, ...more },
  );

export const soundRow = {
  symbol: 'AAPL',
  quantity: '10',
  entry_price: '172.40',
  entry_date: '2025-06-30',
} as const;

/** The only lot of a JSON row that nothing is wrong with. */
export function lotOf(change: Record<string, string | null | undefined>): Lot {
  const { lots, problems } = readJson([change]);
  if (lots?.[0] === undefined) throw new Error(`expected a lot, got: ${JSON.stringify(problems)}`);
  return lots[0];
}

export const codes = (remarks: readonly RowProblem[] | null): string[] =>
  (remarks ?? []).map(({ code }) => code);

/** The codes of what is wrong with one JSON row. */
export const codesOf = (change: Record<string, string | null | undefined>): string[] =>
  codes(readJson([change]).problems);

export const option = {
  symbol: 'AAPL280121C00250000',
  investment_class: 'OPTIONS',
  underlying_symbol: 'AAPL',
  strike_price: '250',
  expiration_date: '2028-01-21',
  option_type: 'CALL',
} as const;

export const cash = { symbol: 'USD', investment_class: 'CASH', entry_price: '1' } as const;
