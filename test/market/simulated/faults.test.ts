import { describe, expect, test } from 'vitest';
import { parseFaults, planFaults } from '../../../src/market/simulated/faults.ts';

describe('faults in the configuration', () => {
  test('are symbol=kind with an optional count, separated by commas', () => {
    expect(parseFaults('AAPL=timeout:2, msft=empty,TSLA=429:1,EURUSD=X=500,SPY=lookup-timeout:3,')).toEqual([
      { symbol: 'AAPL', kind: 'timeout', count: 2 },
      { symbol: 'MSFT', kind: 'empty', count: Number.POSITIVE_INFINITY },
      { symbol: 'TSLA', kind: '429', count: 1 },
      { symbol: 'EURUSD=X', kind: '500', count: Number.POSITIVE_INFINITY },
      { symbol: 'SPY', kind: 'lookup-timeout', count: 3 },
    ]);
    expect(parseFaults('')).toEqual([]);
  });

  test('that are not understood are named all at once, with what was expected', () => {
    expect(() => parseFaults('AAPL=timeout,AAPL,=500,IBM=503,IBM=500:0,IBM=500:x,IBM=lookup-empty')).toThrow(
      'expected faults as symbol=kind or symbol=kind:count, kind one of timeout, 429, 500, empty, lookup-timeout, ' +
        'lookup-429, lookup-500, count at least 1, got: AAPL, =500, IBM=503, IBM=500:0, IBM=500:x, IBM=lookup-empty',
    );
  });

  test('of one symbol happen one after the other, as often as they say', () => {
    const plan = planFaults(parseFaults('AAPL=timeout:2,AAPL=429:1,AAPL=lookup-500:1,MSFT=empty'));
    const histories = Array.from({ length: 5 }, () => plan.take('AAPL', 'history'));
    expect(histories).toEqual(['timeout', 'timeout', '429', null, null]);
    expect([plan.take('AAPL', 'lookup'), plan.take('AAPL', 'lookup')]).toEqual(['500', null]);
    expect(Array.from({ length: 3 }, () => plan.take('MSFT', 'history'))).toEqual([
      'empty',
      'empty',
      'empty',
    ]);
    expect(plan.take('SPY', 'history')).toBeNull();
  });

  test('of one provider are not used up by another', () => {
    const faults = parseFaults('AAPL=500:1');
    expect(planFaults(faults).take('AAPL', 'history')).toBe('500');
    expect(planFaults(faults).take('AAPL', 'history')).toBe('500');
  });
});
