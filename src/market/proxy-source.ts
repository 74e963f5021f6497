import type { Database } from '../database/database.orm.ts';
import type { Clock } from '../kernel/clock.ts';
import type { PriceStore } from './price.store.ts';
import type { History, HistoryRequest, MarketDataProvider } from './provider.ts';
import { type DailyCloses, type ProxySet, proxies } from './proxy-set.ts';
import { historyRange, lastNewYorkSession } from './sessions.ts';

export interface ProxySource {
  /** The proxies of the last completed New York session, fetched once per session and shared by all jobs. */
  current(): Promise<ProxySet>;
  /** The version that `current` would return now. */
  currentVersion(): string;
  /** The set of this version if it is in memory, which takes no request and no query. */
  inMemory(version: string): ProxySet | null;
  /** The set of this version, however old, so that a job continues with the set it started with. */
  version(version: string): Promise<ProxySet | null>;
}

/**
 * Fetches eight histories per completed session, however many jobs need them (single-flight): the first caller fetches,
 * the others wait for its result. Cancelling a job does not cancel the shared fetch. Throws what the provider throws;
 * histories received before a failure are kept for the next attempt.
 */
export function proxySource({
  provider,
  prices,
  database,
  clock,
  onCalendar = () => {},
}: {
  provider: Pick<MarketDataProvider, 'history'>;
  prices: PriceStore;
  database: Database;
  clock: Clock;
  /** Called with the dates on which New York was open, each time a set of proxies is loaded. */
  onCalendar?: (dates: readonly string[]) => void;
}): ProxySource {
  let flight: { version: string; set: Promise<ProxySet>; result: ProxySet | null } | null = null;

  // When one of the eight fails, the retry requests only that one. Answers of an older session are dropped: if one of the
  // eight fails for good, they would be kept for ever.
  let answers = { version: '', bySymbol: new Map<string, Promise<History>>() };
  const fetched = (version: string, request: HistoryRequest): Promise<History> => {
    if (answers.version !== version) answers = { version, bySymbol: new Map() };
    const { bySymbol } = answers;
    const answer = bySymbol.get(request.symbol) ?? provider.history(request);
    bySymbol.set(request.symbol, answer);
    answer.catch(() => bySymbol.delete(request.symbol));
    return answer;
  };
  const load = async (version: string): Promise<ProxySet> => {
    const stored = await prices.findProxySet(version);
    if (stored) return stored;
    const range = historyRange(version);
    const histories = await Promise.all(proxies.map((symbol) => fetched(version, { symbol, ...range })));
    const set = await database.transaction(async (on) => {
      const series = sortedBySymbol(histories).map(({ instrument: { symbol }, bars, actions }) => {
        return { symbol, bars, actions, actionsFrom: range.from };
      });
      await prices.replace(series, { on });
      return prices.keepProxySet({ version, closes: closesOf(histories) }, { on });
    });
    answers.bySymbol.clear();
    return set;
  };

  const current = () => {
    const version = lastNewYorkSession(clock.now());
    if (flight?.version !== version) {
      const set = load(version);
      const own: typeof flight = { version, set, result: null };
      flight = own;
      set
        .then((result) => {
          own.result = result;
          onCalendar(result.closes.SPY.dates);
        })
        .catch(() => {}); // the callers get the error
      // A failure rejects the waiting callers and is not cached: the next call tries again.
      set.catch(() => {
        if (flight?.set === set) flight = null;
      });
    }
    return flight.set;
  };

  return {
    current,
    currentVersion: () => lastNewYorkSession(clock.now()),
    inMemory: (version) => (flight?.version === version ? flight.result : null),
    version: async (version) =>
      version === lastNewYorkSession(clock.now()) ? await current() : await prices.findProxySet(version),
  };
}

const sortedBySymbol = (histories: History[]): History[] =>
  [...histories].sort((a, b) => (a.instrument.symbol < b.instrument.symbol ? -1 : 1));

function closesOf(histories: History[]): ProxySet['closes'] {
  const bySymbol = histories.map(({ instrument, bars }): [string, DailyCloses] => [
    instrument.symbol,
    { dates: bars.map(({ date }) => date), closes: bars.map(({ adjustedClose }) => adjustedClose) },
  ]);
  return Object.fromEntries(bySymbol) as ProxySet['closes'];
}
