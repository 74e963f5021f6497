import type { CorporateAction } from '../provider.ts';
import { type DailyCloses, type ProxySet, type ProxySymbol, proxies } from '../proxy-set.ts';
import { digestOf, standardNormal, uniform, uniformOf } from './random-draws.ts';
import { simulatedListing } from './simulated-listings.ts';
import { simulatedPair, simulatedRates } from './simulated-rates.ts';

/** The model of a symbol's daily return: `drift + sum of coefficients x proxy returns + sigma x N(0,1)`. */
export interface SimulatedModel {
  /** Per simple daily return (0.0003 is 3 basis points a day). */
  drift: number;
  coefficients: Record<ProxySymbol, number>;
  /** Standard deviation of the symbol's idiosyncratic daily return. */
  sigma: number;
}

export interface SimulationRequest {
  seed: number;
  /** Normalised symbol. */
  symbol: string;
  /** First and last trading day wanted, inclusive, `YYYY-MM-DD`. The market starts on 2024-01-01. */
  from?: string;
  to?: string;
  /**
   * The last completed session of the symbol's exchange. No bar is later. `NEW<n>` and `SPLIT` count back from it, not
   * from `to`, so that two ranges requested on one day agree.
   */
  session: string;
  /** Replaces the model from the symbol's hash, for the tests that compare with an oracle. */
  model?: SimulatedModel;
}

/** One day as quoted: `GBp` is in pence. Prices have 4 decimals, small rates 6 digits; volume is a whole number. */
export interface SimulatedBar {
  date: string;
  open: string;
  high: string;
  low: string;
  close: string;
  /** The unrounded double, used for returns. */
  adjustedClose: number;
  volume: string;
}

type Factor = 'm' | 'v' | 'o' | 'q' | 's' | 'l' | 't' | 'e';

// Daily returns in per cent; `e` is the proxy's own noise. The styles are about as collinear as the real funds:
// correlations up to 0.92 and a condition number of 10, compared with 0.88 and 9.3 in the 90 days to 2026-07-31.
const loadings: Record<ProxySymbol, Partial<Record<Factor, number>>> = {
  SPY: { m: 1 },
  VTV: { m: 0.65, v: 0.4, e: 0.15 },
  VUG: { m: 1.25, v: -0.35, e: 0.15 },
  MTUM: { m: 1.25, o: 0.75, e: 0.15 },
  QUAL: { m: 0.92, v: 0.1, q: 0.2, e: 0.08 },
  IWM: { m: 1.1, v: 0.2, s: 0.7, e: 0.15 },
  USMV: { m: 0.45, v: 0.2, l: 0.4, e: 0.1 },
  TLT: { m: 0.08, t: 0.75 },
};

const dailyDrift = 0.0003; // 0.03 % a day, about 8 % a year
const dayMs = 86_400_000;
const origin = Date.UTC(2024, 0, 1) / dayMs; // a Monday: the weekday arithmetic below depends on it
const splitAge = 100; // weekdays: the split lies inside the year that an onboarding fetches
const seedsMax = 8; // cached markets; a process uses one, tests a few
const markets = new Map<number, Record<ProxySymbol, number[]>>();
const dayNames: string[] = [];

/**
 * The daily bars of a symbol in the simulated market, ascending; none for a symbol that does not exist.
 *
 * Prices compound from 2024-01-01 whatever the range, and every draw is a hash of (seed, stream, date), so two requests
 * agree on every common date, on every machine. A symbol trades on weekdays. `-USD` trades every day; at weekends, when
 * the factors' markets are closed, its return is drift and its own noise only. Pairs like `EURUSD=X` follow
 * `simulated-rates.ts`: they have no factor exposures, and inverse pairs are inverse. `close` is adjusted for splits,
 * as at Yahoo, so `SPLIT` shows its split in `simulatedActions` only.
 *
 *     simulatedBars({ seed: 1, symbol: 'NEW13', session: '2026-07-31' }).length   // 13
 */
export function simulatedBars(request: SimulationRequest): SimulatedBar[] {
  const { seed, symbol } = request;
  const isFlat = symbol === 'FLAT';
  const decimals = decimalsOf(symbol);
  return walk(request).map(({ date, price, previous }) => {
    const digest = digestOf(seed, `bar|${symbol}`, date);
    const open = isFlat ? price : previous + uniform(digest, 0) * (price - previous);
    const high = Math.max(open, price) * (1 + (isFlat ? 0 : 0.01 * uniform(digest, 1)));
    const low = Math.min(open, price) * (1 - (isFlat ? 0 : 0.01 * uniform(digest, 2)));
    return {
      date,
      open: open.toFixed(decimals(price)),
      high: high.toFixed(decimals(price)),
      low: low.toFixed(decimals(price)),
      close: price.toFixed(decimals(price)),
      adjustedClose: price,
      volume: String(100_000 + Math.floor(9_900_000 * uniform(digest, 3))),
    };
  });
}

/** The adjusted closes of `simulatedBars`, without computing the rest of each bar. */
export function simulatedCloses(request: SimulationRequest): DailyCloses {
  const days = walk(request);
  return { dates: days.map((day) => day.date), closes: days.map((day) => day.price) };
}

/** All eight proxies up to a completed New York session. */
export function simulatedProxies({ seed, session }: { seed: number; session: string }): ProxySet {
  const entries = proxies.map((symbol) => [symbol, simulatedCloses({ seed, symbol, session })] as const);
  return { version: session, closes: Object.fromEntries(entries) as Record<ProxySymbol, DailyCloses> };
}

/** Splits in the range: `SPLIT` has one, 10 for 1, 100 weekdays before `session`; `SPLIT300` has it 300 before. */
export function simulatedActions({ symbol, from, to, session }: SimulationRequest): CorporateAction[] {
  const [, age] = /^SPLIT(\d{0,4})$/.exec(symbol) ?? [];
  if (age === undefined) return [];
  const day = countBack(dayOf(session), Number(age || splitAge) + 1, false);
  const date = day < 0 ? null : dayName(day);
  if (date === null || (from !== undefined && date < from) || (to !== undefined && date > to)) return [];
  return [{ date, kind: 'split', numerator: 10, denominator: 1 }];
}

/**
 * The model of a symbol: SPY in [.2, 1.2], the six styles in [-.4, .4], TLT in [-.2, .2], sigma in [.8 %, 2.5 %],
 * uniform from its hash. Proxies do not use it: they have their own formula.
 */
export function simulatedModel({ seed, symbol }: { seed: number; symbol: string }): SimulatedModel {
  const between = (name: string, low: number, high: number): number =>
    low + (high - low) * uniform(digestOf(seed, `model|${symbol}`, name), 0);
  const coefficients = Object.fromEntries(
    proxies.map((proxy) => {
      if (proxy === 'SPY') return [proxy, between(proxy, 0.2, 1.2)];
      return [proxy, proxy === 'TLT' ? between(proxy, -0.2, 0.2) : between(proxy, -0.4, 0.4)];
    }),
  ) as Record<ProxySymbol, number>;
  return { drift: dailyDrift, coefficients, sigma: between('sigma', 0.008, 0.025) };
}

interface Day {
  date: string;
  price: number;
  previous: number;
}

function walk(request: SimulationRequest): Day[] {
  const { symbol, session } = request;
  const listing = simulatedListing(symbol);
  if (listing === null) return [];
  const last = Math.min(dayOf(session), request.to === undefined ? Infinity : dayOf(request.to));
  const firstWanted = request.from === undefined ? 0 : dayOf(request.from);
  const first = Math.max(firstWanted, listingDay(symbol, session, listing.tradesWeekends));
  const path = pathOf(request, listing.priceScale);
  let price = path.first;
  const days: Day[] = [];
  for (let day = 0; day <= last; day += 1) {
    if (isWeekend(day) && !listing.tradesWeekends) continue;
    const previous = price;
    price = path.next(day, price);
    if (day >= first) days.push({ date: dayName(day), price, previous });
  }
  return days;
}

/** The price before the first day, and the step from each day's price to the next. */
function pathOf(
  request: SimulationRequest,
  priceScale: number,
): { first: number; next(day: number, price: number): number } {
  const { seed, symbol } = request;
  const pair = simulatedPair(symbol);
  if (pair !== null) {
    const rates = simulatedRates(seed, pair);
    return { first: rates.first, next: (day) => rates.next(dayName(day)) };
  }
  const dailyReturn = returnsOf(request);
  const first = priceScale * (10 + 490 * uniformOf(seed, `start|${symbol}`));
  return { first, next: (day, price) => price * (1 + dailyReturn(day)) };
}

/** Four decimals, or for a rate as many as six significant digits need: a dong in dollars has ten. */
const decimalsOf = (symbol: string) => (price: number) =>
  simulatedPair(symbol) === null ? 4 : Math.max(4, 5 - Math.floor(Math.log10(price)));

function returnsOf({ seed, symbol, session, model }: SimulationRequest): (day: number) => number {
  if (symbol === 'FLAT') return () => 0;
  const market = marketThrough(seed, dayOf(session));
  const own = market[symbol as ProxySymbol];
  if (own !== undefined) return (day) => own[weekdayIndex(day)]!;
  const { drift, coefficients, sigma } = model ?? simulatedModel({ seed, symbol });
  return (day) => {
    let value = drift + sigma * standardNormal(seed, `noise|${symbol}`, dayName(day));
    if (isWeekend(day)) return value;
    for (const proxy of proxies) value += coefficients[proxy] * market[proxy][weekdayIndex(day)]!;
    return value;
  };
}

/** The proxies' returns for one seed, by weekday from the origin. Cached and only extended. */
function marketThrough(seed: number, lastDay: number): Record<ProxySymbol, number[]> {
  let market = markets.get(seed);
  if (market === undefined) {
    if (markets.size >= seedsMax) markets.delete(markets.keys().next().value!);
    market = Object.fromEntries(proxies.map((proxy) => [proxy, [] as number[]])) as Record<
      ProxySymbol,
      number[]
    >;
    markets.set(seed, market);
  }
  for (let day = firstDayAfter(market.SPY.length); day <= lastDay; day += 1) {
    if (isWeekend(day)) continue;
    const draws = new Map<string, number>();
    for (const proxy of proxies) market[proxy].push(proxyReturn(seed, proxy, dayName(day), draws));
  }
  return market;
}

function proxyReturn(seed: number, proxy: ProxySymbol, date: string, draws: Map<string, number>): number {
  let percent = 0;
  for (const [factor, loading] of Object.entries(loadings[proxy])) {
    const stream = factor === 'e' ? `noise|${proxy}` : `factor|${factor}`;
    if (!draws.has(stream)) draws.set(stream, standardNormal(seed, stream, date));
    percent += loading * draws.get(stream)!;
  }
  return dailyDrift + percent / 100;
}

/** The first trading day: 13 trading days back for `NEW13`, the session included; the origin for all others. */
function listingDay(symbol: string, session: string, everyDay: boolean): number {
  const bars = /^NEW(\d{1,6})(?=$|[.-])/.exec(symbol)?.[1];
  if (bars === undefined) return 0;
  return bars === '0' ? Infinity : countBack(dayOf(session), Number(bars), everyDay);
}

/** The `count`th trading day back from `day`, counting `day` if it is one; -1 if before the market's origin. */
function countBack(day: number, count: number, everyDay: boolean): number {
  let current = day;
  for (let left = count; current >= 0; current -= 1) {
    if (everyDay || !isWeekend(current)) left -= 1;
    if (left <= 0) return current;
  }
  return -1;
}

const isWeekend = (day: number): boolean => day % 7 > 4;
const weekdayIndex = (day: number): number => Math.floor(day / 7) * 5 + (day % 7);
const firstDayAfter = (weekdays: number): number => Math.floor(weekdays / 5) * 7 + (weekdays % 5);
const dayOf = (date: string): number => Date.parse(date) / dayMs - origin;

function dayName(day: number): string {
  for (let next = dayNames.length; next <= day; next += 1) {
    dayNames.push(new Date((origin + next) * dayMs).toISOString().slice(0, 10));
  }
  return dayNames[day]!;
}
