import jStat from 'jstat';

const known = new Map<string, number>();

/**
 * The t with P(T <= t) = `probability` under Student's distribution with `degrees` of freedom.
 *
 * Computed by jstat; its test compares it with closed forms and with R. Remembered, as all full windows share two.
 *
 *     studentQuantile({ probability: 0.975, degrees: 88 })   // 1.98729 for a window of 90
 */
export function studentQuantile({ probability, degrees }: { probability: number; degrees: number }): number {
  const key = `${probability}/${degrees}`;
  let quantile = known.get(key);
  if (quantile === undefined) {
    quantile = jStat.studentt.inv(probability, degrees);
    known.set(key, quantile);
  }
  return quantile;
}
