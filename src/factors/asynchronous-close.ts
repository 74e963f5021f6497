import { LRUCache } from 'lru-cache';
import { Temporal } from 'temporal-polyfill';

/** When an exchange's regular session ends, as in `Instrument`. */
export interface SessionEnd {
  /** Local wall time, `HH:MM`; `24:00` is the end of the day. */
  sessionEnd: string;
  /** IANA name. */
  timeZone: string;
}

const newYork: SessionEnd = { sessionEnd: '16:00', timeZone: 'America/New_York' };
const hoursMax = 3; // Toronto and São Paulo are near enough, London (4.5 hours) is not
const hourMs = 3_600_000;

/**
 * Whether a session ends more than 3 hours from New York's on any of `dates` (`YYYY-MM-DD`).
 *
 * Returns of the same date then cover different hours, and beta is biased towards 0 (Scholes & Williams, Journal of
 * Financial Economics 5 (1977), 309-327). Daylight saving time matters: 24:00 UTC is 4 hours after New York's close in
 * July and 3 in January, so pass both ends of a window.
 *
 *     isAsynchronous({ sessionEnd: '16:30', timeZone: 'Europe/London' }, ['2026-07-31'])   // true
 */
export function isAsynchronous(session: SessionEnd, dates: readonly string[]): boolean {
  return dates.some((date) => Math.abs(endOf(session, date) - endOf(newYork, date)) > hoursMax * hourMs);
}

const ends = new LRUCache<string, number>({ max: 1000 });

/** Epoch milliseconds. Cached, because looking up a zone's rules for a day is the most expensive step for a series. */
function endOf(session: SessionEnd, date: string): number {
  const key = `${session.sessionEnd} ${session.timeZone} ${date}`;
  const end = ends.get(key) ?? computeEnd(session, date);
  ends.set(key, end);
  return end;
}

function computeEnd({ sessionEnd, timeZone }: SessionEnd, date: string): number {
  const day = Temporal.PlainDate.from(date);
  const [on, plainTime] = sessionEnd === '24:00' ? [day.add({ days: 1 }), '00:00'] : [day, sessionEnd];
  return on.toZonedDateTime({ timeZone, plainTime }).epochMilliseconds;
}
