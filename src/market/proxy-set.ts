/** The eight exchange-traded funds whose returns represent the factors. */
export const proxies = ['SPY', 'TLT', 'VTV', 'VUG', 'MTUM', 'QUAL', 'IWM', 'USMV'] as const;
export type ProxySymbol = (typeof proxies)[number];

/** Adjusted closes of one instrument, ascending, one per trading day. */
export interface DailyCloses {
  dates: string[];
  closes: number[];
}

/** The eight proxies as of one completed New York session; never changed once stored. */
export interface ProxySet {
  /** The last completed New York session, `YYYY-MM-DD`. */
  version: string;
  closes: Record<ProxySymbol, DailyCloses>;
}
