import type { InstrumentType } from './provider.ts';
import { localTime } from './sessions.ts';

export interface TradingPeriod {
  /** Epoch milliseconds of the regular session's start and end. */
  start: number;
  end: number;
}

const neverCloses = '24:00';
const roundTheClock: readonly InstrumentType[] = ['CRYPTOCURRENCY', 'CURRENCY', 'FUTURE'];

// The regular end of the main exchange in each time zone, closing auction included, as of 2026.
const usualEnds: Record<string, string> = {
  'America/New_York': '16:00',
  'America/Toronto': '16:00',
  'America/Chicago': '16:00',
  'America/Mexico_City': '15:00',
  'America/Sao_Paulo': '18:00',
  'Europe/London': '16:30',
  'Europe/Dublin': '16:30',
  'Europe/Lisbon': '16:30',
  'Europe/Amsterdam': '17:30',
  'Europe/Berlin': '17:30',
  'Europe/Brussels': '17:30',
  'Europe/Madrid': '17:30',
  'Europe/Paris': '17:30',
  'Europe/Rome': '17:30',
  'Europe/Stockholm': '17:30',
  'Europe/Vienna': '17:30',
  'Europe/Zurich': '17:30',
  'Europe/Copenhagen': '17:00',
  'Europe/Oslo': '16:30',
  'Europe/Helsinki': '18:30',
  'Africa/Johannesburg': '17:00',
  'Asia/Hong_Kong': '16:00',
  'Asia/Jerusalem': '17:30',
  'Asia/Kolkata': '15:30',
  'Asia/Seoul': '15:30',
  'Asia/Shanghai': '15:00',
  'Asia/Singapore': '17:00',
  'Asia/Taipei': '13:30',
  'Asia/Tokyo': '15:30',
  'Australia/Sydney': '16:10',
  'Pacific/Auckland': '17:00',
};

/**
 * Local wall time at which an instrument's regular session ends, `HH:MM`, or `24:00`.
 *
 * The provider's trading period can only make it later. On a day with an early close the period ends early, and that
 * time would make the next day's running session look complete. Without a usual end and a period it is midnight.
 *
 *     sessionEndOf({ type: 'EQUITY', timeZone: 'Asia/Tokyo' })   // '15:30'
 */
export function sessionEndOf({
  type,
  timeZone,
  period,
}: {
  type: InstrumentType;
  timeZone: string;
  period?: TradingPeriod | undefined;
}): string {
  if (roundTheClock.includes(type)) return neverCloses;
  const usual = usualEnds[timeZone];
  const today = period && endOf(period, timeZone);
  return (
    [usual, today]
      .filter((end) => end !== undefined)
      .sort()
      .at(-1) ?? neverCloses
  );
}

function endOf({ start, end }: TradingPeriod, timeZone: string): string {
  const time = localTime(end, timeZone);
  // Yahoo writes the end of a day as 23:59. A session that ends after midnight counts as ending at midnight.
  return time >= '23:59' || time <= localTime(start, timeZone) ? neverCloses : time;
}
