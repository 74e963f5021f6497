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

/** The instrument behind a symbol, as its provider describes it. */
export interface Instrument {
  symbol: string;
  name: string | null;
  type: InstrumentType;
  /** The major currency, ISO 4217: `GBP` if the exchange quotes pence. Null if the provider does not say. */
  currency: string | null;
  exchange: string | null;
  /** IANA name of the exchange's time zone, which decides the date of a bar. */
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
  /** Adjusted for splits and dividends. A double, because it is used for returns only, never for money. */
  adjustedClose: number;
  volume: string | null;
}

export type CorporateAction =
  | { date: string; kind: 'split'; numerator: number; denominator: number }
  | { date: string; kind: 'dividend'; amount: string };

/** Daily bars in ascending order of date, one per date, completed sessions only. */
export interface History {
  /** The source of the whole history. */
  provider: ProviderName;
  instrument: Instrument;
  bars: Bar[];
  actions: CorporateAction[];
}

/** A symbol that certainly exists, and a proxy: a provider that does not have it is not working. */
export const canary = 'SPY';

/** Three-valued, so that an outage is never reported as an invalid symbol. */
export type Verdict =
  /** The instrument is null if the provider only says that the symbol exists. */
  | { symbol: string; verdict: 'valid'; instrument: Instrument | null }
  | { symbol: string; verdict: 'invalid'; reason: string }
  | { symbol: string; verdict: 'unverifiable'; reason: string; retryAt?: number };

export type ProviderName = 'yahoo' | 'files' | 'simulated';

export interface HistoryRequest {
  symbol: string;
  /** First and last trading day wanted, inclusive, `YYYY-MM-DD`. */
  from: string;
  to: string;
  /** First day wanted for splits and dividends, if earlier than `from`. */
  actionsFrom?: string;
  /** The known currency of its prices; null if unknown. */
  currency?: string | null;
  signal?: AbortSignal;
}

export interface LookupOptions {
  signal?: AbortSignal;
  /** By symbol, the first day that its history will need, if more than a year ago. */
  since?: ReadonlyMap<string, string>;
}

/**
 * A source of market data.
 *
 * Both calls throw `AppError`s. Retryable: `provider_timeout`, `provider_unavailable`. With `retryAt`:
 * `provider_throttled`, `provider_paused`, `provider_busy`. Permanent: `symbol_not_found`, `no_price_data`,
 * `unusable_data`, `delisted`. An aborted signal rejects with its reason.
 */
export interface MarketDataProvider {
  readonly name: ProviderName;
  /** One verdict per symbol, in as few requests as the provider allows. */
  lookup(symbols: readonly string[], options?: LookupOptions): Promise<Verdict[]>;
  history(request: HistoryRequest): Promise<History>;
}
