import { normalSpelling } from '../normalise-symbol.ts';
import { FileProblem, type FileRow, readDate, readNumber } from './file-cells.ts';

/** Prices of many symbols: one row per date, one column per symbol. */
export interface WideFile {
  /** Normalised symbols. */
  symbols: ReadonlySet<string>;
  /** The prices of a symbol by date, without empty cells. Throws a `FileProblem` for a cell that is not a price. */
  column(symbol: string): Map<string, number>;
}

/**
 * Reads a wide file row by row: a header of `date` and symbols, then one row per day. An invalid price makes only the
 * column of its symbol unusable; an invalid date makes the whole file unusable.
 *
 * Numbers are stored as doubles, eight bytes per cell: 500 days of 5,000 symbols take 20 MB.
 */
export function wideFileReader(file: string): { add(row: FileRow): void; end(): WideFile } {
  let header: readonly string[] | null = null;
  const places = new Map<string, number>();
  const days: { date: string; prices: Float64Array }[] = [];
  const problems = new Map<number, FileProblem>();

  const readHeader = ({ line, cells }: FileRow): void => {
    if (cells[0]?.toLowerCase() !== 'date' || cells.length < 2) {
      throw new FileProblem(
        file,
        line,
        'a header of date and symbols, such as date,AAPL,MSFT',
        cells.join(','),
      );
    }
    cells.slice(1).forEach((cell, index) => {
      const symbol = normalSpelling(cell);
      if (places.has(symbol)) throw new FileProblem(file, line, 'each symbol once', cell);
      if (symbol !== '') places.set(symbol, index);
    });
    header = cells;
  };
  const readDay = ({ line, cells }: FileRow, width: number): void => {
    const date = readDate(cells[0] ?? '');
    if (date === null) throw new FileProblem(file, line, 'a day such as 2026-07-30', cells[0] ?? '');
    const prices = new Float64Array(width).fill(Number.NaN);
    for (let index = 0; index < width; index += 1) {
      const cell = cells[index + 1] ?? '';
      const value = readNumber(cell);
      if (value === null) continue;
      if (value !== undefined && Number(value) > 0) prices[index] = Number(value);
      else if (!problems.has(index)) {
        const expected = `${header?.[index + 1]} to be a price > 0, or empty`;
        problems.set(index, new FileProblem(file, line, expected, cell));
      }
    }
    days.push({ date, prices });
  };

  return {
    add(row) {
      if (header === null) readHeader(row);
      else readDay(row, header.length - 1);
    },
    end() {
      if (header === null) throw new FileProblem(file, 1, 'a header of date and symbols', '');
      return {
        symbols: new Set(places.keys()),
        column(symbol) {
          const place = places.get(symbol);
          if (place === undefined) return new Map();
          const problem = problems.get(place);
          if (problem) throw problem;
          return new Map(
            days
              .map(({ date, prices }) => [date, prices[place]!] as const)
              .filter(([, price]) => !Number.isNaN(price)),
          );
        },
      };
    },
  };
}
