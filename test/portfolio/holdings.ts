import { randomUUIDv7 } from 'node:crypto';
import fc from 'fast-check';
import type { Database } from '../../src/database/database.orm.ts';
import { rateBetween, rateSymbolOf } from '../../src/market/rates.ts';
import { type Lot, neededSymbol } from '../../src/portfolio/lots.ts';
import { portfolioStore } from '../../src/portfolio/portfolio.store.ts';
import { ratesNeeded } from '../../src/portfolio/rates-needed.ts';
import { currenciesOf, type PricedLot } from '../../src/portfolio/snapshot.ts';

/** What the universe and the jobs know of a symbol. */
export interface Known {
  symbol: string;
  currency: string | null;
  /** Null: not in the universe yet. */
  close: string | null;
  date: string | null;
  isPending: boolean;
}

/** Closes of exchange-rate series by symbol and date. */
export type RateSeries = Readonly<Record<string, Readonly<Record<string, string>>>>;

export const lotOf = (changes: Partial<Lot> = {}): Lot => {
  const lot: Lot = {
    line: 1,
    symbol: 'AAPL',
    needs: null,
    investmentClass: 'PUBLIC',
    investmentSubtype: null,
    underlyingSymbol: null,
    strikePrice: null,
    expirationDate: null,
    optionType: null,
    quantity: '10',
    multiplier: changes.investmentClass === 'OPTIONS' ? 100 : 1,
    entryPrice: '100',
    entryDate: '2025-01-02',
    exitDate: null,
    exitPrice: null,
    currency: null,
    quoteUnit: null,
    ...changes,
  };
  return { ...lot, needs: neededSymbol(lot) };
};

/** Puts symbols into the universe, priced as they are known, with an unfinished job where they are pending. */
export async function enter(database: Database, symbols: readonly Known[]): Promise<void> {
  await database.sql(
    `insert into symbol_universe (symbol, currency, is_active, last_price, last_price_date, price_version)
     select r.symbol, r.currency, r.close is not null, r.close, r.date, case when r.close is null then 0 else 1 end
     from jsonb_to_recordset($1::jsonb) as r(symbol text, currency text, close numeric, date date)`,
    [JSON.stringify(symbols)],
  );
  await database.sql(
    `insert into onboarding_jobs (id, symbol, reason, status, state, phase, machine_version)
     select r.id, r.symbol, 'upload', 'processing', 'processing.fetch.running', 'fetch', 1
     from jsonb_to_recordset($1::jsonb) as r(id uuid, symbol text)`,
    [
      JSON.stringify(
        symbols.filter(({ isPending }) => isPending).map((one) => ({ ...one, id: randomUUIDv7() })),
      ),
    ],
  );
}

/** Saves a portfolio; answers its id. */
export async function save(database: Database, baseCurrency: string, lots: readonly Lot[]): Promise<string> {
  const id = randomUUIDv7();
  const numbered = lots.map((lot, index) => ({ ...lot, line: index + 2, id: randomUUIDv7() }));
  await database.transaction((on) =>
    portfolioStore(database).insert(
      { id, owner: 'local', name: 'test', baseCurrency, lots: numbered },
      { on },
    ),
  );
  return id;
}

/** Stores series, as far back as anybody may ask, as completed jobs leave them; those of `pending` have another one. */
export async function enterRates(
  database: Database,
  series: RateSeries,
  pending: readonly string[] = [],
): Promise<void> {
  await enter(
    database,
    pending.map((symbol) => ({ symbol, currency: null, close: null, date: null, isPending: true })),
  );
  const rows = Object.entries(series).flatMap(([symbol, closes]) =>
    Object.entries(closes).map(([date, close]) => ({ symbol, date, close })),
  );
  await database.sql(
    `insert into prices (symbol, date, close, adjusted_close) select r.symbol, r.date, r.close, 1
     from jsonb_to_recordset($1::jsonb) as r(symbol text, date date, close numeric)`,
    [JSON.stringify(rows)],
  );
  await database.sql(
    `insert into symbol_universe (symbol, type, is_active, price_version, history_from)
     select symbol, 'CURRENCY', true, 1, date '1900-01-01' from unnest($1::text[]) as s(symbol)
     on conflict (symbol) do update set is_active = true, history_from = excluded.history_from,
       price_version = symbol_universe.price_version + 1`,
    [Object.keys(series)],
  );
}

/** What an upload and its market come to, for the oracle. */
export interface Circumstances {
  known: readonly Known[];
  baseCurrency?: string;
  series?: RateSeries;
  /** Series with an unfinished job. */
  ratesPending?: readonly string[];
  /** The symbol whose job just ends. */
  cause?: string | null;
}

/** A lot as the oracle wants it: with what is known of its symbol and of the rates. */
export function pricedLot(
  lot: Lot,
  { known, baseCurrency = 'USD', series = {}, ratesPending = [], cause = null }: Circumstances,
): PricedLot {
  const names = lot.investmentClass === 'PUBLIC' ? lot.symbol : lot.underlyingSymbol;
  const found = known.find(({ symbol }) => symbol === names);
  const isOpenPublic = lot.investmentClass === 'PUBLIC' && lot.exitDate === null;
  const symbolCurrency = lot.investmentClass === 'CASH' ? lot.symbol : (found?.currency ?? null);
  const { value, cost } = currenciesOf({ ...lot, symbolCurrency }, baseCurrency);
  const rate = (from: string | null, date: string | null) =>
    from === null || date === null ? null : rateBetween({ from, to: baseCurrency }, closesOn(series, date));
  const currencies = new Map(known.map(({ symbol, currency }) => [symbol, currency]));
  const closeDate = isOpenPublic ? (found?.date ?? null) : null;
  const isForeignCash = lot.investmentClass === 'CASH' && lot.exitDate === null && value !== baseCurrency;
  const priceDate = isForeignCash ? lastDateOf(series, [value!, baseCurrency]) : closeDate;
  return {
    ...lot,
    symbolCurrency,
    lastClose: isOpenPublic ? (found?.close ?? null) : null,
    priceDate,
    valueRate: rate(value, lot.exitDate ?? priceDate),
    costRate: rate(cost, lot.entryDate),
    isPending: lot.needs !== null && lot.needs !== cause && (found?.isPending ?? false),
    isRatePending: [...ratesNeeded([lot], { baseCurrency, currencies }).keys()].some(
      (symbol) => symbol !== cause && ratesPending.includes(symbol),
    ),
  };
}

/** The close of each series on or before a date. */
function closesOn(series: RateSeries, date: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(series).flatMap(([symbol, closes]) => {
      const last = Object.keys(closes)
        .filter((day) => day <= date)
        .sort()
        .at(-1);
      return last === undefined ? [] : [[symbol, closes[last]!]];
    }),
  );
}

const lastDateOf = (series: RateSeries, currencies: readonly string[]): string | null =>
  currencies
    .flatMap((currency) => Object.keys(series[rateSymbolOf(currency) ?? ''] ?? {}))
    .sort()
    .at(-1) ?? null;

const decimal = (digits: fc.Arbitrary<bigint>, scale: number) =>
  fc.tuple(digits, fc.nat({ max: scale })).map(([value, places]) => {
    const text = String(value).padStart(places + 1, '0');
    const split = text.length - places;
    return places === 0 ? text : `${text.slice(0, split)}.${text.slice(split)}`;
  });
// Small numbers make ties at the rounding digit likely; large ones fill all digits that a lot may have.
const positive = (scale: number) =>
  decimal(
    fc.oneof(
      fc.bigInt({ min: 1n, max: 200n }),
      fc.bigInt({ min: 1n, max: 10n ** 9n }),
      fc.bigInt({ min: 10n ** 20n, max: 10n ** 21n }),
    ),
    scale,
  );
const quantity = fc.tuple(fc.boolean(), positive(6)).map(([isShort, size]) => (isShort ? `-${size}` : size));

export const currencies = ['USD', 'JPY', 'KWD', 'EUR'] as const;
const symbols = ['AAPL', 'MSFT', 'SAP.DE', '7203.T', 'NEW1', 'BHP'];
const day = fc.integer({ min: 0, max: 5 }).map((n) => `2026-07-${String(24 + n).padStart(2, '0')}`);

export const knownSymbols: fc.Arbitrary<Known[]> = fc.tuple(
  ...symbols.map((symbol) =>
    fc
      .record({
        currency: fc.constantFrom(...currencies, 'USD', 'USD', 'USD'),
        price: fc.option(fc.record({ close: positive(8), date: day }), { freq: 4 }),
        isPending: fc.boolean(),
      })
      .map(({ currency, price, isPending }) => ({
        symbol,
        currency: price === null && isPending ? null : currency,
        close: price?.close ?? null,
        date: price?.date ?? null,
        isPending,
      })),
  ),
);

const close = fc.oneof(
  decimal(fc.bigInt({ min: 1n, max: 20000n }), 4),
  decimal(fc.bigInt({ min: 10n ** 6n, max: 10n ** 12n }), 8),
);

/** Series of some currencies, with gaps, as if a provider began late or failed altogether. */
export const rateSeries: fc.Arbitrary<RateSeries> = fc.record(
  Object.fromEntries(
    currencies
      .flatMap((currency) => rateSymbolOf(currency) ?? [])
      .map((symbol) => [
        symbol,
        fc.dictionary(fc.oneof(day, fc.constantFrom('2024-12-31', '2025-01-02', '2025-12-31')), close, {
          minKeys: 1,
          maxKeys: 6,
        }),
      ]),
  ),
  { requiredKeys: [] },
) as fc.Arbitrary<RateSeries>;

const anySymbol = fc.constantFrom(...symbols, 'GONE');
const entryDate = fc.constantFrom('2024-12-30', '2025-01-01', '2025-01-02', '2025-06-30');
const prices = { quantity, entryPrice: positive(8), entryDate };
const currency = fc.option(fc.constantFrom(...currencies), { freq: 2 });
const exit = fc.option(
  fc.record({ exitDate: fc.constant('2026-01-05'), exitPrice: fc.option(positive(8), { freq: 4 }) }),
  { freq: 1, nil: { exitDate: null, exitPrice: null } },
);

export const anyLot: fc.Arbitrary<Lot> = fc.oneof(
  { weight: 6, arbitrary: lots({ ...prices, symbol: anySymbol, currency }, { investmentClass: 'PUBLIC' }) },
  {
    weight: 1,
    arbitrary: lots(
      { ...prices, underlyingSymbol: anySymbol, currency },
      { symbol: 'OPT', investmentClass: 'OPTIONS' },
    ),
  },
  { weight: 1, arbitrary: lots({ ...prices, currency }, { symbol: 'HOUSE', investmentClass: 'PRIVATE' }) },
  {
    weight: 2,
    arbitrary: lots(
      { quantity, symbol: fc.constantFrom(...currencies), entryDate },
      { investmentClass: 'CASH', entryPrice: '1' },
    ),
  },
);

function lots<Fields extends object>(
  fields: { [Key in keyof Fields]: fc.Arbitrary<Fields[Key]> },
  rest: Partial<Lot>,
) {
  return fc
    .tuple(fc.record(fields), exit)
    .map(([values, closed]) => lotOf({ ...rest, ...values, ...closed } as Partial<Lot>));
}
