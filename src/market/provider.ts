export const instrumentTypes = [
  'EQUITY',
  'ETF',
  'MUTUALFUND',
  'INDEX',
  'CURRENCY',
  'CRYPTOCURRENCY',
  'FUTURE',
  'OPTION',
] as const;
export type InstrumentType = (typeof instrumentTypes)[number];

/** What a symbol names, as its provider describes it. */
export interface Instrument {
  symbol: string;
  name: string | null;
  type: InstrumentType;
  /** The major currency, ISO 4217: `GBP` where the exchange quotes pence. Null where the provider does not say. */
  currency: string | null;
  exchange: string | null;
  /** IANA name of the exchange's time zone: it decides which date a bar belongs to. */
  timeZone: string;
  /** Local wall time at which the regular session ends, `HH:MM`; `24:00` for markets that never close. */
  sessionEnd: string;
}

/** One trading day. Prices are decimal strings in the major currency; `close` is not adjusted for dividends. */
export interface Bar {
  /** Trading day in the exchange's time zone, `YYYY-MM-DD`. */
  date: string;
  open: string | null;
  high: string | null;
  low: string | null;
  close: string;
  /** Adjusted for splits and dividends. A double: it only ever makes returns, never money. */
  adjustedClose: number;
  volume: string | null;
}

export type CorporateAction =
  | { date: string; kind: 'split'; numerator: number; denominator: number }
  | { date: string; kind: 'dividend'; amount: string };

/** Daily bars in ascending order of date, one per date, completed sessions only. */
export interface History {
  /** Who gave it, all of it. */
  provider: ProviderName;
  instrument: Instrument;
  bars: Bar[];
  actions: CorporateAction[];
}

/** A symbol that surely exists, and a proxy: where it is not to be had, nothing is. */
export const canary = 'SPY';

/** Three-valued: an outage is never called an invalid symbol. */
export type Verdict =
  /** Without an instrument where the provider has said no more than that it exists. */
  | { symbol: string; verdict: 'valid'; instrument: Instrument | null }
  | { symbol: string; verdict: 'invalid'; reason: string }
  | { symbol: string; verdict: 'unverifiable'; reason: string; retryAt?: number };

export type ProviderName = 'yahoo' | 'files' | 'simulated';

export interface HistoryRequest {
  symbol: string;
  /** First and last trading day wanted, inclusive, `YYYY-MM-DD`. */
  from: string;
  to: string;
  /** Splits and dividends are wanted from this earlier day on; by default from `from`. */
  actionsFrom?: string;
  /** What its prices are known to be in; null where nobody has said it yet. */
  currency?: string | null;
  signal?: AbortSignal;
}

export interface LookupOptions {
  signal?: AbortSignal;
  /** By symbol, the first day that will be wanted of it, where that is more than a year ago. */
  since?: ReadonlyMap<string, string>;
}

/**
 * A source of market data.
 *
 * Both calls throw `AppError`s: retryable `provider_timeout`, `provider_unavailable`; with `retryAt` `provider_throttled`,
 * `provider_paused`, `provider_busy`; permanent `symbol_not_found`, `no_price_data`, `unusable_data`, `delisted`. An
 * aborted signal rejects with its reason.
 */
export interface MarketDataProvider {
  readonly name: ProviderName;
  /** One verdict per symbol asked for, in as few requests as the provider allows. */
  lookup(symbols: readonly string[], options?: LookupOptions): Promise<Verdict[]>;
  history(request: HistoryRequest): Promise<History>;
}
