import { z } from 'zod';
import type { AppError } from '../../kernel/errors.ts';
import { cleanBars, type RawBar } from '../bars.ts';
import { decimalOf, movePoint } from '../decimals.ts';
import { majorUnit } from '../minor-units.ts';
import { type CorporateAction, type History, type Instrument, instrumentTypes } from '../provider.ts';
import { failures } from '../provider-failures.ts';
import { sessionEndOf } from '../session-ends.ts';
import { isTimeZone, localDate } from '../sessions.ts';

// The library converts some instants to Dates and leaves others in seconds.
const instant = z.union([
  z.date().transform((date) => date.getTime()),
  z.number().transform((s) => s * 1000),
]);
const series = z.array(z.number().nullish());

const chartSchema = z.object({
  meta: z.object({
    symbol: z.string(),
    currency: z.string().nullish(),
    instrumentType: z.string(),
    exchangeName: z.string().nullish(),
    exchangeTimezoneName: z.string(),
    longName: z.string().nullish(),
    shortName: z.string().nullish(),
    currentTradingPeriod: z.object({ regular: z.object({ start: instant, end: instant }) }).nullish(),
  }),
  timestamp: z.array(instant).nullish(),
  indicators: z.object({
    quote: z.array(
      z.object({
        open: series.nullish(),
        high: series.nullish(),
        low: series.nullish(),
        close: series.nullish(),
        volume: series.nullish(),
      }),
    ),
    adjclose: z.array(z.object({ adjclose: series.nullish() })).nullish(),
  }),
  events: z
    .object({
      splits: z
        .record(z.string(), z.object({ date: instant, numerator: z.number(), denominator: z.number() }))
        .nullish(),
      dividends: z.record(z.string(), z.object({ date: instant, amount: z.number() })).nullish(),
    })
    .nullish(),
});

/** A chart from Yahoo, validated. */
export type YahooChart = z.infer<typeof chartSchema>;

/** Validates `chart(symbol, { return: 'object' })`. Throws `provider_unavailable` for an unexpected shape. */
export function readChart(answer: unknown): YahooChart {
  const chart = chartSchema.safeParse(answer);
  if (!chart.success) throw unreadable(chart.error);
  const uneven = unevenColumn(chart.data);
  if (uneven !== null) throw unreadable(new Error(uneven));
  return chart.data;
}

/** What is wrong with the shape of a raw chart, before the library sees it, or null. */
export function chartProblem(answer: unknown): AppError | null {
  const chart = chartSchema.safeParse(answer);
  return chart.success ? null : unreadable(chart.error);
}

/** The instrument of a chart. Throws `unusable_data` for an unknown type of instrument or time zone. */
export function chartInstrument(symbol: string, { meta }: YahooChart): Instrument {
  const type = instrumentTypes.find((known) => known === meta.instrumentType);
  if (type === undefined) {
    const what = `expected an instrument of type ${instrumentTypes.join(', ')}, got: ${meta.instrumentType}`;
    throw failures.unusable({ symbol, what });
  }
  const timeZone = meta.exchangeTimezoneName;
  if (!isTimeZone(timeZone)) {
    throw failures.unusable({ symbol, what: `expected the IANA name of a time zone, got: ${timeZone}` });
  }
  return {
    symbol,
    name: meta.longName ?? meta.shortName ?? null,
    type,
    currency: currencyOf(meta.currency),
    exchange: meta.exchangeName ?? null,
    timeZone,
    sessionEnd: sessionEndOf({ type, timeZone, period: meta.currentTradingPeriod?.regular }),
  };
}

// A token such as USDT is not an ISO currency, and no conversion from it exists.
function currencyOf(quoteUnit: string | null | undefined): string | null {
  const { currency } = majorUnit(quoteUnit ?? '');
  return /^[A-Z]{3}$/.test(currency) ? currency : null;
}

/** Whether a chart has at least one price. */
export function hasPrices(chart: YahooChart): boolean {
  return (chart.indicators.quote[0]?.close ?? []).some((close) => close != null);
}

/** Converts a chart to bars and actions of completed sessions, dated in the exchange's time zone. */
export function chartHistory(
  chart: YahooChart,
  request: {
    symbol: string;
    from: string;
    to: string;
    actionsFrom?: string;
    now: number;
    calendar?: readonly string[] | undefined;
  },
): History {
  const instrument = chartInstrument(request.symbol, chart);
  const rows = rowsOf(chart, instrument.timeZone);
  const quoteUnit = chart.meta.currency ?? null;
  const bars = cleanBars({ ...request, instrument, quoteUnit, rows });
  const last = bars.at(-1)!.date;
  const actions = actionsOf(chart, instrument.timeZone).filter(
    ({ date }) => date >= (request.actionsFrom ?? request.from) && date <= last,
  );
  return { provider: 'yahoo', instrument, bars, actions };
}

function unevenColumn({ timestamp, indicators }: YahooChart): string | null {
  const expected = timestamp?.length ?? 0;
  const columns = [...Object.values(indicators.quote[0] ?? {}), indicators.adjclose?.[0]?.adjclose];
  const uneven = columns.find((column) => column != null && column.length !== expected);
  return uneven ? `expected ${expected} values a column, got: ${uneven.length}` : null;
}

function rowsOf({ timestamp, indicators }: YahooChart, timeZone: string): RawBar[] {
  const [quote] = indicators.quote;
  const adjusted = indicators.adjclose?.[0]?.adjclose;
  return (timestamp ?? []).map((openedAt, index) => ({
    date: localDate(openedAt, timeZone),
    open: quote?.open?.[index],
    high: quote?.high?.[index],
    low: quote?.low?.[index],
    close: quote?.close?.[index],
    adjustedClose: adjusted?.[index],
    volume: quote?.volume?.[index],
  }));
}

function actionsOf({ events, meta }: YahooChart, timeZone: string): CorporateAction[] {
  const { places } = majorUnit(meta.currency ?? '');
  const splits = Object.values(events?.splits ?? {}).map(
    ({ date, numerator, denominator }): CorporateAction => ({
      date: localDate(date, timeZone),
      kind: 'split',
      numerator,
      denominator,
    }),
  );
  const dividends = Object.values(events?.dividends ?? {}).map(
    ({ date, amount }): CorporateAction => ({
      date: localDate(date, timeZone),
      kind: 'dividend',
      amount: movePoint(decimalOf(amount), -places),
    }),
  );
  return [...splits, ...dividends].sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
}

const unreadable = (cause: unknown): AppError =>
  failures.unavailable({ provider: 'yahoo', what: 'sent a chart in an unexpected format', cause });
