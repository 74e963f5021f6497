import type { Split } from '../market/split.ts';

/** What the universe has of a symbol's price. A symbol that is not active has no close. */
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
