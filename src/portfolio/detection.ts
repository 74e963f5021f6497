import { weekdaysBetween } from '../market/sessions.ts';
import { type Lot, neededSymbols } from './lots.ts';

/** What the universe and the jobs say of a symbol. A symbol without a row has none. */
export interface SymbolState {
  symbol: string;
  isActive: boolean;
  /** A job of it has completed (`ready_at` is set). */
  isReady: boolean;
  /** Trading day of its last stored bar, `YYYY-MM-DD`. */
  lastPriceDate: string | null;
  unfinishedJobId: string | null;
}

export interface Freshness {
  /** The last completed session, `YYYY-MM-DD`. */
  lastSession: string;
  /** Weekdays that the last bar may be behind that session. */
  priceMaxAgeDays: number;
}

export interface NeededJob {
  symbol: string;
  /** A `refresh` is optional: it is admitted as depth allows and never refuses an upload. */
  reason: 'upload' | 'refresh';
}

/**
 * Two partitions of the symbols that an upload needs, each ascending: what their prices are worth now (`known`,
 * `stale`, `unpriced`), and what is to be done (`settled`, `joining`, `needed`).
 */
export interface Detection {
  /** Active and fresh: priced by the upload itself. */
  known: string[];
  /** Active, but too old: valued at the stored close and marked. */
  stale: string[];
  /** Not in the universe, or not active: no value yet. */
  unpriced: string[];
  /** Known, ready, and no job under way. */
  settled: string[];
  /** An unfinished job exists; the upload waits for it with whoever came first. */
  joining: { symbol: string; jobId: string }[];
  /** A job must be made. */
  needed: NeededJob[];
}

/**
 * Splits the symbols that open lots need by what the service has of them.
 *
 * A symbol that is known but not ready is in `known` and in `needed`: its job died behind the universe phase, so its
 * price is good and its onboarding still has to end. States of other symbols are ignored.
 *
 *     detectNeeds({ lots, states: [], lastSession: '2026-07-31', priceMaxAgeDays: 3 }).needed
 *     // [{ symbol: 'AAPL', reason: 'upload' }]
 */
export function detectNeeds({
  lots,
  states,
  ...freshness
}: { lots: Iterable<Pick<Lot, 'needs'>>; states: Iterable<SymbolState> } & Freshness): Detection {
  const bySymbol = new Map<string, SymbolState>();
  for (const state of states) bySymbol.set(state.symbol, state);
  const found: Detection = { known: [], stale: [], unpriced: [], settled: [], joining: [], needed: [] };
  for (const symbol of neededSymbols(lots)) {
    const state = bySymbol.get(symbol);
    const worth = worthOf(state, freshness);
    found[worth].push(symbol);
    if (state?.unfinishedJobId) found.joining.push({ symbol, jobId: state.unfinishedJobId });
    else if (worth === 'known' && state?.isReady) found.settled.push(symbol);
    else found.needed.push({ symbol, reason: worth === 'stale' ? 'refresh' : 'upload' });
  }
  return found;
}

/** Whether a symbol is *known* in the sense of SPEC section 3: in the universe, active and fresh. */
export const isKnown = (state: SymbolState | undefined, freshness: Freshness): boolean =>
  worthOf(state, freshness) === 'known';

function worthOf(
  state: Pick<SymbolState, 'isActive' | 'lastPriceDate'> | undefined,
  { lastSession, priceMaxAgeDays }: Freshness,
): 'known' | 'stale' | 'unpriced' {
  if (!state?.isActive || state.lastPriceDate === null) return 'unpriced';
  const behind = weekdaysBetween({ from: state.lastPriceDate, to: lastSession });
  return behind <= priceMaxAgeDays ? 'known' : 'stale';
}
