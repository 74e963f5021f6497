import { expect } from 'vitest';

/** Expects `actual` within 1e-9 of `expected`, relatively, or within 1e-12 where `expected` is near 0. */
export function expectNear(actual: number | null | undefined, expected: number, what = ''): void {
  expectWithin(actual, expected, Math.max(1e-12, 1e-9 * Math.abs(expected)), what);
}

/** Expects at least `digits` correct significant digits, as NIST counts them: -log10 of the relative error. */
export function expectDigits(actual: number, expected: number, digits: number, what = ''): void {
  expectWithin(actual, expected, 10 ** -digits * (expected === 0 ? 1 : Math.abs(expected)), what);
}

function expectWithin(
  actual: number | null | undefined,
  expected: number,
  tolerance: number,
  what: string,
): void {
  // Written so that NaN, null and undefined fail too.
  const near = typeof actual === 'number' && Math.abs(actual - expected) <= tolerance;
  expect(near, `${what}: expected ${expected} ± ${tolerance}, got: ${actual}`).toBe(true);
}
