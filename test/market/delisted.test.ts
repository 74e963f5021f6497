import { describe, expect, test } from 'vitest';
import { sessionsBetween } from '../../src/market/delisted.ts';

describe('sessions between two dates', () => {
  const calendar = ['2026-07-01', '2026-07-02', '2026-07-06'];

  test('are those of the calendar, then weekdays', () => {
    expect(sessionsBetween({ from: '2026-07-01', to: '2026-07-06', calendar })).toBe(2);
    expect(sessionsBetween({ from: '2026-07-01', to: '2026-07-08', calendar })).toBe(4);
    expect(sessionsBetween({ from: '2026-07-01', to: '2026-07-03', calendar })).toBe(1);
    expect(sessionsBetween({ from: '2026-07-07', to: '2026-07-09', calendar })).toBe(2);
    expect(sessionsBetween({ from: '2026-07-01', to: '2026-07-08' })).toBe(5);
    expect(sessionsBetween({ from: '2026-07-01', to: '2026-07-08', calendar: [] })).toBe(5);
  });

  test('are none when the bar is newer', () => {
    expect(sessionsBetween({ from: '2026-07-08', to: '2026-07-06', calendar })).toBe(0);
    expect(sessionsBetween({ from: '2026-07-08', to: '2026-07-06' })).toBe(0);
  });
});
