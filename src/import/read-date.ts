export type DayReading = { value: string; fix: null } | { value: null; fix: string | null };

/**
 * Reads a calendar day, `YYYY-MM-DD`. Refuses other formats with advice, because 06/07/2025 is a day in June or in July,
 * depending on the country.
 *
 *     readDay('2024-02-29').value   // '2024-02-29'
 *     readDay('2025-02-29').fix    // 'The day does not exist: 2025-02 has 28 days.'
 */
export function readDay(text: string): DayReading {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match) return { value: null, fix: adviceFor(text) };
  const [year = 0, month = 0, day = 0] = match.slice(1).map(Number);
  if (month < 1 || month > 12)
    return { value: null, fix: `Month ${match[2]} does not exist. Write YYYY-MM-DD.` };
  const days = daysIn(year, month);
  if (day < 1 || day > days) {
    return { value: null, fix: `The day does not exist: ${match[1]}-${match[2]} has ${days} days.` };
  }
  return { value: text, fix: null };
}

/** The same day a hundred years earlier. For February 29 that day may not exist; comparisons are still correct. */
export const centuryBefore = (day: string): string =>
  `${String(Math.max(0, Number(day.slice(0, 4)) - 100)).padStart(4, '0')}${day.slice(4)}`;

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

function adviceFor(text: string): string | null {
  const slashed = /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$/.exec(text);
  if (slashed) return fromParts(slashed[3] ?? '', Number(slashed[1]), Number(slashed[2]));
  const yearFirst = /^(\d{4})[/.-]?(\d{1,2})[/.-]?(\d{1,2})(T.*| .*)?$/.exec(text);
  if (yearFirst) return proposal(yearFirst[1] ?? '', Number(yearFirst[2]), Number(yearFirst[3]));
  if (/^\d{5}$/.test(text)) return "It is a spreadsheet's serial number. Format the cell as yyyy-mm-dd.";
  return null;
}

/** Day and month in unknown order: proposes a date only if the order is certain. */
function fromParts(year: string, first: number, second: number): string | null {
  if (first > 12) return proposal(year, second, first);
  if (second > 12 || first === second) return proposal(year, first, second);
  return 'Write it as YYYY-MM-DD: day and month are ambiguous.';
}

function proposal(year: string, month: number, day: number): string | null {
  const text = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
  return readDay(text).value === null ? null : `Write it as YYYY-MM-DD: ${text}.`;
}
