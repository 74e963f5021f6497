import { describe, expect, test } from 'vitest';
import { isAsynchronous } from '../../src/factors/asynchronous-close.ts';

const summer = ['2026-07-31'];
const winter = ['2026-01-30'];

describe('a session that ends more than 3 hours from New York', () => {
  test.each([
    ['New York', '16:00', 'America/New_York', false],
    ['Toronto', '16:00', 'America/Toronto', false],
    ['Chicago futures', '16:00', 'America/Chicago', false],
    ['São Paulo', '17:00', 'America/Sao_Paulo', false],
    ['London', '16:30', 'Europe/London', true],
    ['Frankfurt', '17:30', 'Europe/Berlin', true],
    ['Tokyo', '15:30', 'Asia/Tokyo', true],
    ['Sydney', '16:00', 'Australia/Sydney', true],
  ])('%s, %s: %s is asynchronous: %s', (_, sessionEnd, timeZone, expected) => {
    expect(isAsynchronous({ sessionEnd, timeZone }, summer)).toBe(expected);
    expect(isAsynchronous({ sessionEnd, timeZone }, winter)).toBe(expected);
  });

  test('midnight UTC is 4 hours away in summer and exactly 3 in winter', () => {
    const crypto = { sessionEnd: '24:00', timeZone: 'UTC' };
    expect(isAsynchronous(crypto, summer)).toBe(true);
    expect(isAsynchronous(crypto, winter)).toBe(false);
    expect(isAsynchronous(crypto, [...winter, ...summer])).toBe(true);
  });

  test('counts hours, not labels: the day on which only one side changes its clock', () => {
    // From 8 to 29 March 2026 New York is on summer time and London is not: 3.5 hours in place of 4.5.
    const london = { sessionEnd: '16:30', timeZone: 'Europe/London' };
    expect(isAsynchronous(london, ['2026-03-20'])).toBe(true);
    expect(isAsynchronous({ ...london, sessionEnd: '17:00' }, ['2026-03-20'])).toBe(false);
    expect(isAsynchronous({ ...london, sessionEnd: '17:00' }, ['2026-03-30'])).toBe(true);
  });

  test('is nowhere without dates', () => {
    expect(isAsynchronous({ sessionEnd: '15:30', timeZone: 'Asia/Tokyo' }, [])).toBe(false);
  });
});
