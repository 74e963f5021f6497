import type { Transaction } from '../database/database.orm.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Instrument } from '../market/provider.ts';
import { lastNewYorkSession } from '../market/sessions.ts';
import { type Lot, neededSymbols } from '../portfolio/lots.ts';
import { type Currencies, ratesNeeded } from '../portfolio/rates-needed.ts';
import type { UniverseStore } from '../universe/universe.store.ts';
import { type Detection, detectNeeds, type Needing } from './detect-needs.ts';

export interface NeedsPorts {
  universe: Pick<UniverseStore, 'states'>;
  clock: Clock;
  priceMaxAgeDays: number;
}

export interface Upload {
  lots: readonly Lot[];
  baseCurrency: string;
  /** The provider's data of new symbols. */
  instruments?: readonly Instrument[];
}

/** The needs of lots by the state of the database now, or within a transaction. */
export async function readNeeds(
  { universe, ...ports }: NeedsPorts,
  lots: readonly Needing[],
  on?: Transaction,
): Promise<Detection> {
  const states = await universe.states(neededSymbols(lots), on ? { on } : {});
  return detectNeeds({ lots, states, ...freshnessOf(ports) });
}

/** The needs of an upload: its symbols, and the exchange rates of their currencies. */
export async function readUploadNeeds(
  { universe, ...ports }: NeedsPorts,
  { lots, baseCurrency, instruments = [] }: Upload,
  on?: Transaction,
): Promise<Detection & { currencies: Currencies }> {
  const options = on ? { on } : {};
  const states = await universe.states(neededSymbols(lots), options);
  const currencies = new Map(
    [...instruments, ...states].flatMap(({ symbol, currency }) =>
      currency === null ? [] : [[symbol, currency] as const],
    ),
  );
  const rates = ratesNeeded(lots, { baseCurrency, currencies });
  const missing = [...rates.keys()]
    .filter((symbol) => !states.some((state) => state.symbol === symbol))
    .sort();
  if (missing.length > 0) states.push(...(await universe.states(missing, options)));
  return { ...detectNeeds({ lots, rates, states, ...freshnessOf(ports) }), currencies };
}

const freshnessOf = ({ clock, priceMaxAgeDays }: Pick<NeedsPorts, 'clock' | 'priceMaxAgeDays'>) => ({
  lastSession: lastNewYorkSession(clock.now()),
  priceMaxAgeDays,
});
