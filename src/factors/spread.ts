import assert from 'node:assert/strict';

/**
 * The daily return of holding `long` against the same amount of `short`: the difference of their simple returns.
 *
 * Taken return by return; the ratio of the two prices would compound and is another thing.
 *
 *     spreadReturns({ long: [0.02, 0.01], short: [0.005, 0.01] })   // [0.015, 0]
 */
export function spreadReturns({
  long,
  short,
}: {
  long: readonly number[];
  short: readonly number[];
}): number[] {
  assert(
    long.length === short.length,
    `expected two legs of one length, got: ${long.length}, ${short.length}`,
  );
  return long.map((value, i) => value - short[i]!);
}
