import type { Split } from '../market/split.ts';

/** A symbol's price in the universe. An inactive symbol has no close. */
export interface Quote {
  symbol: string;
  currency: string | null;
  /** In `currency`, an exact decimal. */
  lastClose: string | null;
  priceDate: string | null;
  /** Ascending by date. */
  splits: readonly Split[];
}

export type Quotes = ReadonlyMap<string, Quote>;
