import { describe, expect, test } from 'vitest';
import { computeExposures } from '../../src/factors/compute-exposures.ts';
import { prepareProxies, referenceWindow } from '../../src/factors/proxy-windows.ts';
import { simulatedCloses, simulatedProxies } from '../../src/market/simulated/simulation.ts';

const session = '2026-07-31';
const fresh = () => structuredClone(simulatedProxies({ seed: 1, session }));
const last = (count: number, end = 674): number[] =>
  Array.from({ length: count }, (_, i) => end - count + 1 + i);

describe('what depends on the proxies alone', () => {
  test('is prepared once per set', () => {
    const set = fresh();
    expect(prepareProxies(set)).toBe(prepareProxies(set));
    expect(prepareProxies(fresh())).not.toBe(prepareProxies(set));
  });

  test('is shared by all symbols that trade every session', () => {
    const set = fresh();
    for (let i = 0; i < 20; i += 1) {
      computeExposures({
        symbol: simulatedCloses({ seed: 1, symbol: `S${i}`, session }),
        proxies: set,
      });
    }
    expect([...prepareProxies(set).windows.keys()]).toEqual(['90:585:90', '180:495:180']);
  });

  test('is made for a symbol with a gap alone, and not kept', () => {
    const reference = prepareProxies(fresh());
    const positions = last(91).toSpliced(40, 1);
    const window = referenceWindow(reference, { window: 90, positions });
    expect(referenceWindow(reference, { window: 90, positions })).not.toBe(window);
    expect(reference.windows.size).toBe(0);
  });

  test('is the same whether it was kept or made anew', () => {
    const [kept, anew] = [prepareProxies(fresh()), prepareProxies(fresh())];
    const request = { window: 90, positions: last(90) };
    const first = referenceWindow(kept, request);
    expect(referenceWindow(kept, request)).toBe(first);
    expect(referenceWindow(anew, request)).toEqual(first);
  });

  test('keeps the 64 youngest windows, however many lengths of history there are', () => {
    const reference = prepareProxies(fresh());
    for (let count = 30; count <= 90; count += 1) {
      for (const end of [670, 674]) referenceWindow(reference, { window: 90, positions: last(count, end) });
    }
    expect(reference.windows.size).toBe(64);
    expect(reference.windows.has('90:585:90')).toBe(true);
  });

  test('has a calendar of the dates that all eight share', () => {
    const set = fresh();
    set.closes.IWM = { dates: set.closes.IWM.dates.slice(5), closes: set.closes.IWM.closes.slice(5) };
    const { calendar, returns } = prepareProxies(set);
    expect(calendar).toEqual(set.closes.IWM.dates);
    expect(Object.values(returns).every((all) => all.length === calendar.length - 1)).toBe(true);
  });
});
