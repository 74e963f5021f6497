import { normaliseSymbol } from './normalise-symbol.ts';

/**
 * Whether a normalised symbol may be sent to a provider: 1 to 32 of `A-Z 0-9 . - ^ = _ &`, never `..`.
 *
 * Providers put symbols into URL paths and lists, so a slash, a comma or a space would change the request.
 */
export function isWellFormed(symbol: string): boolean {
  return /^[A-Z0-9.\-^=_&]{1,32}$/.test(symbol) && !symbol.includes('..') && symbol !== '.';
}

/**
 * Converts a symbol in a price file to the normalised spelling; only upper-cases a text that is not a valid symbol.
 *
 *     normalSpelling('brk.b')   // 'BRK-B'
 */
export function normalSpelling(written: string): string {
  return normaliseSymbol(written).symbol ?? written.toUpperCase();
}

/** Reason of the verdict on a malformed symbol, which is never sent to a provider. */
export const malformedReason = 'expected 1 to 32 of A-Z, 0-9, and . - ^ = _ &';
