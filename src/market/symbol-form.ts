import { normaliseSymbol } from './normalise-symbol.ts';

/**
 * Whether a normalised symbol may be sent to a provider: 1 to 32 of `A-Z 0-9 . - ^ = _ &`, never `..`.
 *
 * Providers put symbols into paths and lists, so one with a slash, a comma or a space would ask for something else.
 */
export function isWellFormed(symbol: string): boolean {
  return /^[A-Z0-9.\-^=_&]{1,32}$/.test(symbol) && !symbol.includes('..') && symbol !== '.';
}

/**
 * A symbol as a file of prices writes it, in the spelling that everybody asks for; in capitals where it can be none.
 *
 *     normalSpelling('brk.b')   // 'BRK-B'
 */
export function normalSpelling(written: string): string {
  return normaliseSymbol(written).symbol ?? written.toUpperCase();
}

/** The verdict's reason for a symbol that was never sent. */
export const malformedReason = 'expected 1 to 32 of A-Z, 0-9, and . - ^ = _ &';
