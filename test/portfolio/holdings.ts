import { randomUUIDv7 } from 'node:crypto';
import fc from 'fast-check';
import type { Database } from '../../src/database.ts';
import { type Lot, neededSymbol } from '../../src/portfolio/lots.ts';
import { portfolioStore } from '../../src/portfolio/portfolio.store.ts';
import type { PricedLot } from '../../src/portfolio/snapshot.ts';

/** What the universe and the jobs know of a symbol. */
export interface Known {
  symbol: string;
  currency: string | null;
  /** Null: not in the universe yet. */
  close: string | null;
  date: string | null;
  isPending: boolean;
}

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

/** A lot as the oracle wants it: with what is known of its symbol. */
export function pricedLot(lot: Lot, known: readonly Known[], cause: string | null): PricedLot {
  const names = lot.investmentClass === 'PUBLIC' ? lot.symbol : lot.underlyingSymbol;
  const found = known.find(({ symbol }) => symbol === names);
  const isOpenPublic = lot.investmentClass === 'PUBLIC' && lot.exitDate === null;
  return {
    ...lot,
    symbolCurrency: lot.investmentClass === 'CASH' ? lot.symbol : (found?.currency ?? null),
    lastClose: isOpenPublic ? (found?.close ?? null) : null,
    priceDate: isOpenPublic ? (found?.date ?? null) : null,
    isPending: lot.needs !== null && lot.needs !== cause && (found?.isPending ?? false),
  };
}

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

const anySymbol = fc.constantFrom(...symbols, 'GONE');
const prices = { quantity, entryPrice: positive(8) };
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
      { quantity, symbol: fc.constantFrom(...currencies) },
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
