import { rateSlackDays } from '../market/rates.ts';
import { addDays } from '../market/sessions.ts';
import type { Lot } from '../portfolio/lots.ts';
import { type Freshness, worthOf } from '../universe/freshness.ts';
import type { SymbolState } from '../universe/symbol-state.ts';

export interface NeededJob {
  symbol: string;
  /** A `refresh` is optional: it is admitted if the queue has room, and never causes a refusal. */
  reason: 'upload' | 'refresh';
}

/**
 * Two partitions of the symbols that an upload needs, each ascending: by their prices (`known`, `stale`, `unpriced`), and
 * by what is to do (`settled`, `joining`, `needed`).
 */
export interface Detection {
  /** Active and fresh: priced by the upload itself. */
  known: string[];
  /** Active, but its prices are too old: valued at the stored close and marked. */
  stale: string[];
  /** Not in the universe, or not active: no value yet. */
  unpriced: string[];
  /** Known, ready, without an unfinished job. */
  settled: string[];
  /** Has an unfinished job, which the upload joins. */
  joining: { symbol: string; jobId: string }[];
  /** Needs a new job. */
  needed: NeededJob[];
  /** Known, but their splits do not reach back to the entry date of a lot. Fetched later; the upload does not wait. */
  shallow: { symbol: string; since: string }[];
  /** Needed as exchange rates only, so they are not reported as invalid symbols. */
  rates: string[];
}

/** The fields of a lot that say which symbol it needs, and since when. */
export type Needing = Pick<Lot, 'needs'> & Partial<Pick<Lot, 'investmentClass' | 'entryDate'>>;

/**
 * Partitions the symbols that open lots need by the data that the service has.
 *
 * A symbol that is known but not ready is in `known` and in `needed`: its job failed after the universe phase, so it has
 * a price but its onboarding is incomplete. `rates` are the exchange-rate series with the earliest entry date that each
 * must reach; one that does not gets a job, because without it a lot has no cost. Ignores states of other symbols.
 *
 *     detectNeeds({ lots, states: [], lastSession: '2026-07-31', priceMaxAgeDays: 3 }).needed
 *     // [{ symbol: 'AAPL', reason: 'upload' }]
 */
export function detectNeeds({
  lots,
  rates = new Map(),
  states,
  ...freshness
}: {
  lots: Iterable<Needing>;
  rates?: ReadonlyMap<string, string>;
  states: Iterable<SymbolState>;
} & Freshness): Detection {
  const bySymbol = new Map<string, SymbolState>();
  for (const state of states) bySymbol.set(state.symbol, state);
  const held = heldSince(lots);
  const found: Detection = {
    ...{ known: [], stale: [], unpriced: [], settled: [], joining: [], needed: [], shallow: [] },
    rates: [...rates.keys()].filter((symbol) => !held.has(symbol)).sort(),
  };
  for (const symbol of [...held.keys(), ...found.rates].sort()) {
    const state = bySymbol.get(symbol);
    const worth = worthOf(state, freshness);
    found[worth].push(symbol);
    const reason = reasonOf({ state, worth, rated: rates.get(symbol) });
    const since = held.get(symbol) ?? null;
    const isSettled = worth === 'known' && state!.isReady; // others get a job, which fetches the splits too
    if (isSettled && since !== null && state?.historyFrom && state.historyFrom > since) {
      found.shallow.push({ symbol, since });
    }
    if (state?.unfinishedJobId) found.joining.push({ symbol, jobId: state.unfinishedJobId });
    else if (reason === null) found.settled.push(symbol);
    else found.needed.push({ symbol, reason });
  }
  return found;
}

/** The symbols that lots need, with the earliest entry date of its public lots, or null. */
function heldSince(lots: Iterable<Needing>): Map<string, string | null> {
  const held = new Map<string, string | null>();
  for (const { needs, investmentClass, entryDate = null } of lots) {
    if (needs === null) continue;
    const since = investmentClass === 'PUBLIC' ? entryDate : null;
    const earliest = held.get(needs) ?? null;
    held.set(needs, since === null || (earliest !== null && earliest < since) ? earliest : since);
  }
  return held;
}

function reasonOf({
  state,
  worth,
  rated,
}: {
  state: SymbolState | undefined;
  worth: 'known' | 'stale' | 'unpriced';
  rated: string | undefined;
}): NeededJob['reason'] | null {
  if (worth === 'unpriced' || (worth === 'known' && !state?.isReady)) return 'upload';
  const from = state?.historyFrom ?? null;
  if (rated !== undefined && (from === null || from > addDays(rated, -rateSlackDays))) return 'upload';
  return worth === 'stale' ? 'refresh' : null;
}
