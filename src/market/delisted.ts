import type { Bar, Instrument } from './provider.ts';
import { failures } from './provider-failures.ts';
import { type DateRange, weekdaysBetween } from './sessions.ts';

type Calendar = readonly string[] | undefined;

const delistedAfterSessions = 20; // four weeks: longer than any holiday or usual halt

/** Throws the permanent `delisted` if the last bar is more than 20 sessions before `to`. */
export function assertListed(
  last: Bar,
  { instrument, to, calendar }: { instrument: Instrument; to: string; calendar?: Calendar },
): void {
  if (sessionsBetween({ from: last.date, to, calendar }) <= delistedAfterSessions) return;
  const { symbol, currency } = instrument;
  throw failures.delisted({ symbol, currency, lastClose: last.close, lastDate: last.date });
}

/**
 * Sessions after `from`, up to and including `to`: by the calendar, and by weekdays after its end.
 *
 *     sessionsBetween({ from: '2026-07-02', to: '2026-07-06', calendar: ['2026-07-02', '2026-07-06'] })   // 1
 */
export function sessionsBetween({ from, to, calendar }: DateRange & { calendar?: Calendar }): number {
  const end = calendar?.at(-1);
  if (calendar === undefined || end === undefined || end <= from)
    return Math.max(0, weekdaysBetween({ from, to }));
  const known = calendar.filter((date) => date > from && date <= to).length;
  return end < to ? known + weekdaysBetween({ from: end, to }) : known;
}
