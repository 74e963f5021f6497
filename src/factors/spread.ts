import assert from 'node:assert/strict';

/**
 * The daily return of holding `long` against the same amount of `short`: the difference of their simple returns.
 *
 * Computed per daily return. The return of the price ratio would be a different number, because it compounds.
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
