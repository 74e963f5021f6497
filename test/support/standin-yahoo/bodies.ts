import {
  addDays,
  instantOf,
  isWeekday,
  lastCompletedSession,
  localDate,
} from '../../../src/market/sessions.ts';
import { type SimulatedListing, simulatedListing } from '../../../src/market/simulated/simulated-listings.ts';
import {
  type SimulatedBar,
  simulatedActions,
  simulatedBars,
} from '../../../src/market/simulated/simulation.ts';

/** The market as the stand-in sees it at one instant. */
export interface MarketView {
  seed: number;
  /** Epoch milliseconds. */
  now: number;
}

export interface StandinBody {
  status: number;
  body: unknown;
}

// Regular opening times: Yahoo stamps a daily bar with the opening, in UTC seconds.
const opens: Record<string, string> = {
  'America/New_York': '09:30',
  'Europe/London': '08:00',
  'Europe/Berlin': '09:00',
  'Asia/Tokyo': '09:00',
  UTC: '00:00',
};
const originDate = '2024-01-01'; // where the simulated market begins
const daySeconds = 86_400;

/**
 * `/v8/finance/chart/{symbol}` of the simulated market, in Yahoo's shape, as recorded in 2025.
 *
 * True to life: times are openings in UTC, `period2` is inclusive, the running session is a live row stamped with
 * the last trade, London quotes pence, a range before the first trade is a 400, one without rows has no timestamps.
 */
export function chartBody(symbol: string, query: URLSearchParams, view: MarketView): StandinBody {
  const listing = simulatedListing(symbol);
  if (listing === null) return chartNotFound();
  const [start, end] = [Number(query.get('period1')), Number(query.get('period2') ?? view.now / 1000)];
  const rows = rowsOf(symbol, listing, view);
  const wanted = rows.filter(({ time }) => time >= start && time <= end);
  if (wanted.length === 0 && rows[0] !== undefined && end < rows[0].time) {
    return chartTooEarly(query);
  }
  const meta = metaOf(symbol, listing, view, rows);
  if (wanted.length === 0) return chartResult({ meta, ...emptySeries });
  return chartResult({ meta, ...eventsOf(symbol, listing, wanted, view), ...seriesOf(wanted) });
}

/** A chart of a symbol that is known and has no rows: neither timestamps nor columns. */
export function emptyChartBody(symbol: string, view: MarketView): StandinBody {
  const listing = simulatedListing(symbol);
  return listing === null
    ? chartNotFound()
    : chartResult({ meta: metaOf(symbol, listing, view, []), ...emptySeries });
}

/** A range that ends before the first trade. */
export function chartTooEarly(query: URLSearchParams): StandinBody {
  const description = `Data doesn't exist for startDate = ${query.get('period1')}, endDate = ${query.get('period2')}`;
  return { status: 400, body: { chart: { result: null, error: { code: 'Bad Request', description } } } };
}

/** A chart as it is, every price of it null, as Yahoo answers for some symbols that have stopped trading. */
export function withoutCloses(answer: StandinBody): StandinBody {
  const body = JSON.stringify(answer.body, (key, value) =>
    ['open', 'high', 'low', 'close', 'adjclose', 'volume'].includes(key) && typeof value?.[0] === 'number'
      ? value.map(() => null)
      : value,
  );
  return { status: answer.status, body: JSON.parse(body) };
}

export function chartNotFound(): StandinBody {
  const error = { code: 'Not Found', description: 'No data found, symbol may be delisted' };
  return { status: 404, body: { chart: { result: null, error } } };
}

/** `/v7/finance/quote`: one entry per symbol that exists, in the order asked for; the unknown are absent. */
export function quoteBody(symbols: readonly string[], view: MarketView): StandinBody {
  const result = [...new Set(symbols.map((symbol) => symbol.toUpperCase()))].flatMap((symbol) => {
    const listing = simulatedListing(symbol);
    return listing === null ? [] : [quoteOf(symbol, listing, view)];
  });
  return { status: 200, body: { quoteResponse: { result, error: null } } };
}

export function crumbRefused(): StandinBody {
  const error = { code: 'Unauthorized', description: 'Invalid Crumb' };
  return { status: 401, body: { finance: { result: null, error } } };
}

interface Row {
  /** UTC seconds. */
  time: number;
  bar: SimulatedBar;
}

const emptySeries = { indicators: { quote: [{}], adjclose: [{}] } };
const chartResult = (result: unknown): StandinBody => ({
  status: 200,
  body: { chart: { result: [result], error: null } },
});

function rowsOf(
  symbol: string,
  { instrument, tradesWeekends }: SimulatedListing,
  { seed, now }: MarketView,
): Row[] {
  const { timeZone } = instrument;
  const session = lastCompletedSession({ now, ...instrument, tradesWeekends });
  const rows = simulatedBars({ seed, symbol, session }).map((bar) => ({
    time: openOf(bar.date, timeZone),
    bar,
  }));
  const today = localDate(now, timeZone);
  const running =
    today > session && (tradesWeekends || isWeekday(today)) && openOf(today, timeZone) * 1000 <= now;
  const live = running ? simulatedBars({ seed, symbol, session: today, from: today, to: today }) : [];
  return [...rows, ...live.map((bar) => ({ time: Math.floor(now / 1000), bar }))];
}

function seriesOf(rows: Row[]) {
  const column = (name: 'open' | 'high' | 'low' | 'close' | 'volume') =>
    rows.map(({ bar }) => Number(bar[name]));
  return {
    timestamp: rows.map(({ time }) => time),
    indicators: {
      quote: [
        {
          high: column('high'),
          volume: column('volume'),
          close: column('close'),
          open: column('open'),
          low: column('low'),
        },
      ],
      adjclose: [{ adjclose: rows.map(({ bar }) => bar.adjustedClose) }],
    },
  };
}

function eventsOf(
  symbol: string,
  { instrument, tradesWeekends }: SimulatedListing,
  rows: Row[],
  view: MarketView,
) {
  const session = lastCompletedSession({ now: view.now, ...instrument, tradesWeekends });
  const range = { from: rows[0]!.bar.date, to: rows.at(-1)!.bar.date };
  const splits = simulatedActions({ seed: view.seed, symbol, session, ...range }).flatMap((action) => {
    if (action.kind !== 'split') return [];
    const { numerator, denominator } = action;
    const date = openOf(action.date, instrument.timeZone);
    return [
      [String(date), { date, numerator, denominator, splitRatio: `${numerator}:${denominator}` }] as const,
    ];
  });
  return splits.length === 0 ? {} : { events: { splits: Object.fromEntries(splits) } };
}

function metaOf(symbol: string, listing: SimulatedListing, view: MarketView, rows: Row[]) {
  const { type, exchange, timeZone, name } = listing.instrument;
  const last = rows.at(-1);
  const zone = { timezone: timeZone, gmtoffset: offsetSeconds(timeZone, view.now) };
  return {
    currency: listing.quoteUnit,
    symbol,
    exchangeName: exchange,
    fullExchangeName: exchange,
    instrumentType: type,
    firstTradeDate: openOf(rows[0]?.bar.date ?? originDate, timeZone),
    regularMarketTime: last?.time ?? Math.floor(view.now / 1000),
    hasPrePostMarketData: timeZone === 'America/New_York',
    ...zone,
    exchangeTimezoneName: timeZone,
    regularMarketPrice: Number(last?.bar.close ?? 0),
    longName: name,
    shortName: name,
    chartPreviousClose: Number(rows.at(-2)?.bar.close ?? 0),
    priceHint: 2,
    currentTradingPeriod: tradingPeriods(listing, view, zone),
    dataGranularity: '1d',
    range: '',
    validRanges: ['1d', '5d', '1mo', '3mo', '6mo', '1y', '2y', '5y', '10y', 'ytd', 'max'],
  };
}

function tradingPeriods({ instrument, tradesWeekends }: SimulatedListing, { now }: MarketView, zone: object) {
  const { timeZone, sessionEnd } = instrument;
  let day = localDate(now, timeZone);
  while (!(tradesWeekends || isWeekday(day))) day = addDays(day, 1);
  const start = openOf(day, timeZone);
  const time = sessionEnd === '24:00' ? '23:59' : sessionEnd;
  const end = instantOf({ date: day, time, timeZone }) / 1000;
  return {
    pre: { ...zone, start: start - 1800, end: start },
    regular: { ...zone, start, end },
    post: { ...zone, start: end, end: end + 1800 },
  };
}

function quoteOf(symbol: string, listing: SimulatedListing, { seed, now }: MarketView) {
  const { type, exchange, timeZone, name } = listing.instrument;
  const session = lastCompletedSession({
    now,
    ...listing.instrument,
    tradesWeekends: listing.tradesWeekends,
  });
  const bar = simulatedBars({ seed, symbol, session, from: addDays(session, -7) }).at(-1);
  return {
    language: 'en-US',
    region: 'US',
    quoteType: type,
    typeDisp: type,
    quoteSourceName: 'Delayed Quote',
    triggerable: false,
    customPriceAlertConfidence: 'LOW',
    currency: listing.quoteUnit,
    shortName: name,
    longName: name,
    exchange,
    fullExchangeName: exchange,
    exchangeTimezoneName: timeZone,
    exchangeTimezoneShortName: timeZone,
    gmtOffSetMilliseconds: offsetSeconds(timeZone, now) * 1000,
    market: 'simulated_market',
    marketState: 'CLOSED',
    regularMarketTime: bar ? openOf(bar.date, timeZone) : Math.floor(now / 1000),
    regularMarketPrice: Number(bar?.close ?? 0),
    firstTradeDateMilliseconds: openOf(originDate, timeZone) * 1000,
    priceHint: 2,
    sourceInterval: 15,
    exchangeDataDelayedBy: 0,
    corporateActions: [],
    esgPopulated: false,
    tradeable: false,
    cryptoTradeable: false,
    hasPrePostMarketData: false,
    symbol,
  };
}

const openOf = (date: string, timeZone: string): number =>
  instantOf({ date, time: opens[timeZone] ?? '00:00', timeZone }) / 1000;

function offsetSeconds(timeZone: string, now: number): number {
  const midnight = instantOf({ date: localDate(now, timeZone), time: '00:00', timeZone }) / 1000;
  const offset = Date.parse(`${localDate(now, timeZone)}T00:00:00Z`) / 1000 - midnight;
  return offset > daySeconds / 2 ? offset - daySeconds : offset;
}
