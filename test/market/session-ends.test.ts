import { describe, expect, test } from 'vitest';
import { sessionEndOf } from '../../src/market/session-ends.ts';

const period = (start: string, end: string) => ({ start: Date.parse(start), end: Date.parse(end) });

describe('the end of the regular session', () => {
  test.each([
    ['America/New_York', '16:00'],
    ['Europe/London', '16:30'],
    ['Europe/Berlin', '17:30'],
    ['Asia/Tokyo', '15:30'],
    ['Indian/Mauritius', '24:00'],
  ])('in %s is %s without a word of the provider', (timeZone, expected) => {
    expect(sessionEndOf({ type: 'EQUITY', timeZone })).toBe(expected);
  });

  test.each(['CRYPTOCURRENCY', 'CURRENCY', 'FUTURE'] as const)('of a %s is midnight', (type) => {
    expect(sessionEndOf({ type, timeZone: 'America/New_York' })).toBe('24:00');
  });

  test('is later where the provider says so, never earlier', () => {
    const equity = { type: 'EQUITY', timeZone: 'Europe/Berlin' } as const;
    const frankfurt = period('2025-03-10T07:00Z', '2025-03-10T21:00Z');
    expect(sessionEndOf({ ...equity, period: frankfurt })).toBe('22:00');
    const christmas = period('2025-12-23T08:00Z', '2025-12-23T13:00Z');
    expect(sessionEndOf({ ...equity, period: christmas })).toBe('17:30');
  });

  test('is the provider’s where we know nothing, and midnight where a session outlasts the day', () => {
    const riyadh = { type: 'EQUITY', timeZone: 'Asia/Riyadh' } as const;
    expect(sessionEndOf({ ...riyadh, period: period('2025-03-10T07:00Z', '2025-03-10T12:00Z') })).toBe(
      '15:00',
    );
    expect(sessionEndOf({ ...riyadh, period: period('2025-03-10T07:00Z', '2025-03-10T20:59Z') })).toBe(
      '24:00',
    );
    expect(sessionEndOf({ ...riyadh, period: period('2025-03-10T07:00Z', '2025-03-10T22:00Z') })).toBe(
      '24:00',
    );
  });
});
