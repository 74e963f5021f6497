import type { Database } from '../database/database.orm.ts';
import { type DailyCloses, type ProxySet, proxies } from '../factors/factor-catalog.ts';
import type { Clock } from '../kernel/clock.ts';
import type { PriceStore } from './price.store.ts';
import type { History, HistoryRequest, MarketDataProvider } from './provider.ts';
import { historyRange, lastNewYorkSession } from './sessions.ts';

export interface ProxySource {
  /** The proxies of the last completed New York session; fetched once per session and shared by all jobs. */
  current(): Promise<ProxySet>;
  /** Which set that is now. */
  currentVersion(): string;
  /** That set if it is in memory: nobody has to be asked for it. */
  atHand(version: string): ProxySet | null;
  /** The set that a job began with, however long ago. */
  version(version: string): Promise<ProxySet | null>;
}

/**
 * Eight histories per completed session, whatever the number of jobs that ask: the first to ask fetches, the others
 * wait for it. No job's cancellation stops what the others wait for. Throws what the provider throws; what had come
 * by then is kept for the next attempt.
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
  /** Told the dates on which New York was open, whenever a set of proxies is at hand. */
  onCalendar?: (dates: readonly string[]) => void;
}): ProxySource {
  let flight: { version: string; set: Promise<ProxySet>; landed: ProxySet | null } | null = null;

  // When one of the eight fails, the retry asks for that one only. Answers of another session than the last are let go:
  // should one of the eight fail for good, they would be kept for ever.
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
      const own: typeof flight = { version, set, landed: null };
      flight = own;
      set
        .then((landed) => {
          own.landed = landed;
          onCalendar(landed.closes.SPY.dates);
        })
        .catch(() => {}); // whoever asked hears of it
      // A failure is told to those who wait for it and forgotten: the next to ask tries again.
      set.catch(() => {
        if (flight?.set === set) flight = null;
      });
    }
    return flight.set;
  };

  return {
    current,
    currentVersion: () => lastNewYorkSession(clock.now()),
    atHand: (version) => (flight?.version === version ? flight.landed : null),
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
