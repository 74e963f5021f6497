import { weekdaysBetween } from '../market/sessions.ts';
import type { SymbolState } from './symbol-state.ts';

export interface Freshness {
  /** The last completed session, `YYYY-MM-DD`. */
  lastSession: string;
  /** Weekdays that the last bar may be behind that session. */
  priceMaxAgeDays: number;
}

/** What a symbol's stored prices are worth: fresh enough, too old (valued and refreshed), or none to use. */
export function worthOf(
  state: Pick<SymbolState, 'isActive' | 'lastPriceDate'> | undefined,
  { lastSession, priceMaxAgeDays }: Freshness,
): 'known' | 'stale' | 'unpriced' {
  if (!state?.isActive || state.lastPriceDate === null) return 'unpriced';
  const behind = weekdaysBetween({ from: state.lastPriceDate, to: lastSession });
  return behind <= priceMaxAgeDays ? 'known' : 'stale';
}
