import fc from 'fast-check';

/** Cases per property: few in every run, many in a soak. */
export const numRuns = process.env.SOAK ? 10_000 : 100;

/** Daily simple returns within ±10 %, on a grid of a hundredth of a basis point: ties happen, tiny spreads do not. */
export const dailyReturns = (length: { minLength: number; maxLength: number }): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: -100_000, max: 100_000 }), length).map((all) => all.map((value) => value / 1e6));

/** Prices from 100 on that make these returns. */
export function pricesOf(returns: readonly number[]): number[] {
  const prices = [100];
  for (const value of returns) prices.push(prices.at(-1)! * (1 + value));
  return prices;
}

/** `count` weekdays from a Monday on, `YYYY-MM-DD`. */
export function weekdays(count: number, monday = '2025-01-06'): string[] {
  const start = Date.parse(monday) / 86_400_000;
  return Array.from({ length: count }, (_, i) =>
    new Date((start + Math.floor(i / 5) * 7 + (i % 5)) * 86_400_000).toISOString().slice(0, 10),
  );
}
