/** One row of a portfolio CSV by the API's names; what is left out is an empty cell. */
export interface CsvLot {
  symbol: string;
  quantity: string;
  price: string;
  date?: string;
  class?: string;
  underlying?: string;
  strike?: string;
  expiration?: string;
  type?: string;
  exitDate?: string;
  exitPrice?: string;
  currency?: string;
}

const header =
  'Symbol,Quantity,Entry Price Per Share,Entry Date,Investment Class,Underlying Symbol,Strike Price,' +
  'Expiration Date,Option Type,Exit Date,Exit Price Per Share,Currency';

export function csvOfLots(lots: readonly CsvLot[]): string {
  const rows = lots.map((lot) => [
    lot.symbol,
    lot.quantity,
    lot.price,
    lot.date ?? '2025-01-02',
    lot.class,
    lot.underlying,
    lot.strike,
    lot.expiration,
    lot.type,
    lot.exitDate,
    lot.exitPrice,
    lot.currency,
  ]);
  return [header, ...rows.map((cells) => cells.map((cell) => cell ?? '').join(','))].join('\n');
}
