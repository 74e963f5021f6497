import { readCurrency } from '../currency.ts';
import { type Listing, listingOf } from '../exchange-suffixes.ts';
import { majorUnit } from '../minor-units.ts';
import { normalSpelling } from '../normalise-symbol.ts';
import { instrumentTypes } from '../provider.ts';
import { sessionEndOf } from '../session-ends.ts';
import { isTimeZone } from '../sessions.ts';
import { columnsIn, FileProblem, type FileRow } from './file-cells.ts';

const spellings = {
  symbol: ['symbol', 'ticker'],
  name: ['name'],
  type: ['type', 'instrumenttype'],
  currency: ['currency'],
  exchange: ['exchange'],
  timeZone: ['timezone', 'exchangetimezone'],
  sessionEnd: ['sessionend'],
} as const;
type Column = keyof typeof spellings;

const exchangeMax = 32; // a code, like those of Yahoo; the width of the column in the universe

export interface InstrumentsFile {
  /** A symbol's row, completed by its spelling. Throws a `FileProblem` if the row is invalid. */
  listing(symbol: string): Listing;
}

/** Without an instruments file, listings are derived from the spelling alone. */
export const noInstruments: InstrumentsFile = { listing: listingOf };

/** Reads the instruments file row by row: a header with `symbol`, then one row per symbol. Cells may be empty. */
export function instrumentsFileReader(file: string): { add(row: FileRow): void; end(): InstrumentsFile } {
  let places: Partial<Record<Column, number>> | null = null;
  const rows = new Map<string, FileRow>();
  return {
    add(row) {
      if (places === null) {
        places = columnsIn(row.cells, spellings);
        if (places.symbol === undefined) {
          throw new FileProblem(file, row.line, 'a header with the column symbol', row.cells.join(','));
        }
        return;
      }
      const symbol = normalSpelling(row.cells[places.symbol!] ?? '');
      if (rows.has(symbol)) throw new FileProblem(file, row.line, 'each symbol once', symbol);
      rows.set(symbol, row);
    },
    end: () => ({
      listing(symbol) {
        const row = rows.get(symbol);
        return row ? readListing(file, { symbol, row, places: places! }) : listingOf(symbol);
      },
    }),
  };
}

function readListing(
  file: string,
  { symbol, row, places }: { symbol: string; row: FileRow; places: Partial<Record<Column, number>> },
): Listing {
  const cellOf = (column: Column) => row.cells[places[column] ?? -1] || null;
  const refuse = (expected: string, column: Column): never => {
    throw new FileProblem(file, row.line, expected, cellOf(column) ?? '');
  };
  const guess = listingOf(symbol);

  const typeCell = cellOf('type')?.toUpperCase();
  const type =
    typeCell === undefined ? guess.instrument.type : instrumentTypes.find((one) => one === typeCell);
  if (type === undefined) return refuse(`type to be one of ${instrumentTypes.join(', ')}`, 'type');

  const currencyCell = cellOf('currency');
  const unit = currencyCell === null ? null : readCurrency(currencyCell);
  if (currencyCell !== null && unit === null)
    return refuse('currency to be an ISO code, GBp, ZAc or ILA', 'currency');
  const quoteUnit = unit === null ? guess.quoteUnit : (unit.quoteUnit ?? unit.currency);

  const timeZone = cellOf('timeZone') ?? guess.instrument.timeZone;
  if (!isTimeZone(timeZone)) return refuse('time_zone to be an IANA name such as Europe/London', 'timeZone');

  const end = cellOf('sessionEnd') ?? sessionEndOf({ type, timeZone });
  if (!/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/.test(end)) return refuse('session_end to be HH:MM', 'sessionEnd');

  const exchange = cellOf('exchange');
  if (exchange !== null && exchange.length > exchangeMax)
    return refuse(`exchange to have at most ${exchangeMax} characters`, 'exchange');

  return {
    instrument: {
      symbol,
      name: cellOf('name'),
      type,
      currency: quoteUnit === null ? null : majorUnit(quoteUnit).currency,
      exchange,
      timeZone,
      sessionEnd: end,
    },
    quoteUnit,
  };
}
