import { LRUCache } from 'lru-cache';
import { Temporal } from 'temporal-polyfill';
import type { Instrument } from './provider.ts';

/** When an exchange's regular session ends, in its local time. */
export interface SessionHours {
  /** IANA name of the exchange's time zone. */
  timeZone: string;
  /** Local wall time of the regular end, `HH:MM`; `24:00` for markets that never close. */
  sessionEnd: string;
  tradesWeekends: boolean;
}

export interface DateRange {
  /** First and last trading day, inclusive, `YYYY-MM-DD`. */
  from: string;
  to: string;
}

const settleMs = 30 * 60_000; // closing auctions and late prints are included by then
const neverCloses = '24:00';

/**
 * The last trading day, `YYYY-MM-DD`, whose session is complete at `now`: 30 minutes after its regular end, or
 * immediately if the market never closes.
 *
 * The calendar knows weekdays only, so after a holiday the answer is the holiday, for which there is no bar.
 *
 *     lastCompletedSession({ now: Date.parse('2026-07-31T20:30Z'), timeZone: 'America/New_York',
 *       sessionEnd: '16:00', tradesWeekends: false })   // '2026-07-31'; a millisecond earlier '2026-07-30'
 */
export function lastCompletedSession({ now, ...hours }: SessionHours & { now: number }): string {
  const key = `${hours.timeZone} ${hours.sessionEnd} ${hours.tradesWeekends}`;
  const known = lastCompleted.get(key);
  if (known && known.from <= now && now < known.until) return known.day;
  const trades = (date: string) => hours.tradesWeekends || isWeekday(date);
  let day = localDate(now, hours.timeZone);
  while (!trades(day) || sessionCompletedAt(day, hours) > now) day = addDays(day, -1);
  let next = addDays(day, 1);
  while (!trades(next)) next = addDays(next, 1);
  lastCompleted.set(key, {
    day,
    from: sessionCompletedAt(day, hours),
    until: sessionCompletedAt(next, hours),
  });
  return day;
}

/** The latest answer per exchange, and when it is valid. Cached because each phase of each job needs it. */
const lastCompleted = new LRUCache<string, { day: string; from: number; until: number }>({ max: 200 });

const newYork: SessionHours = { timeZone: 'America/New_York', sessionEnd: '16:00', tradesWeekends: false };

/** The last completed New York session. It decides when to fetch the proxies again, and which prices are fresh. */
export function lastNewYorkSession(now: number): string {
  return lastCompletedSession({ now, ...newYork });
}

/** Epoch milliseconds from which the bar of a trading day is final. Respects daylight saving time. */
export function sessionCompletedAt(
  day: string,
  { timeZone, sessionEnd }: Pick<SessionHours, 'timeZone' | 'sessionEnd'>,
): number {
  const date = Temporal.PlainDate.from(day);
  if (sessionEnd === neverCloses) return date.add({ days: 1 }).toZonedDateTime(timeZone).epochMilliseconds;
  const plainTime = Temporal.PlainTime.from(sessionEnd);
  return date.toZonedDateTime({ timeZone, plainTime }).epochMilliseconds + settleMs;
}

/** The year that ends with a session, both ends inclusive: for 2024-02-29 it starts on 2023-02-28. */
export function historyRange(lastSession: string): DateRange {
  const to = Temporal.PlainDate.from(lastSession);
  return { from: to.subtract({ years: 1 }).toString(), to: to.toString() };
}

/** The hours of an instrument; only cryptocurrencies trade at weekends. */
export function sessionHours(instrument: Instrument): SessionHours {
  const { timeZone, sessionEnd, type } = instrument;
  return { timeZone, sessionEnd, tradesWeekends: type === 'CRYPTOCURRENCY' };
}

/** The local date in a time zone at an instant (epoch milliseconds). */
export function localDate(epochMs: number, timeZone: string): string {
  return local(epochMs, timeZone).toPlainDate().toString();
}

/** The local time in a time zone at an instant, `HH:MM`. */
export function localTime(epochMs: number, timeZone: string): string {
  return local(epochMs, timeZone).toPlainTime().toString({ smallestUnit: 'minute' });
}

/** The instant, in epoch milliseconds, of a local time (`HH:MM`) on a date in a time zone. */
export function instantOf({
  date,
  time,
  timeZone,
}: {
  date: string;
  time: string;
  timeZone: string;
}): number {
  const plainTime = Temporal.PlainTime.from(time);
  return Temporal.PlainDate.from(date).toZonedDateTime({ timeZone, plainTime }).epochMilliseconds;
}

/** Whether a name is one of IANA's time zones. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}

/** Whether a date, `YYYY-MM-DD`, is Monday to Friday. */
export function isWeekday(date: string): boolean {
  const day = dayNumber(date);
  return weekdaysThrough(day) > weekdaysThrough(day - 1);
}

/** `days` calendar days later, or earlier when negative. */
export function addDays(date: string, days: number): string {
  return new Date((dayNumber(date) + days) * dayMs).toISOString().slice(0, 10);
}

/**
 * The weekdays after `from`, up to and including `to`: how many sessions old a bar is, counting holidays.
 * Negative if `to` is earlier.
 *
 *     weekdaysBetween({ from: '2026-07-31', to: '2026-08-03' })   // 1: Friday to Monday
 */
export function weekdaysBetween({ from, to }: DateRange): number {
  return weekdaysThrough(dayNumber(to)) - weekdaysThrough(dayNumber(from));
}

const dayMs = 86_400_000;
const mondayOffset = 3; // 1970-01-01 was a Thursday

const local = (epochMs: number, timeZone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO(timeZone);

// A date without a zone is an ordinal number: UTC midnights have no daylight saving time.
const dayNumber = (date: string): number => Date.parse(`${date}T00:00:00Z`) / dayMs;

function weekdaysThrough(day: number): number {
  const sinceMonday = day + mondayOffset;
  const weeks = Math.floor(sinceMonday / 7);
  return weeks * 5 + Math.min(sinceMonday - weeks * 7 + 1, 5);
}
