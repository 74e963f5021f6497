/** A symbol in the provider's spelling, or why the text is not one. Exactly one of the two is null. */
export type SymbolReading = { symbol: string; problem: null } | { symbol: null; problem: SymbolProblem };

export interface SymbolProblem {
  reason: 'missing' | 'too_long' | 'invalid_characters';
  /** Says what is accepted. */
  message: string;
}

export const symbolLengthMax = 32;

/**
 * Converts a symbol, as a person or a broker writes it, to the market-data provider's spelling.
 *
 * Trims, upper-cases, and joins a share class with a hyphen. Keeps exchange suffixes. Refuses characters outside
 * `A-Z 0-9 . - ^ = _ &`, two dots in a row, and a first character other than a letter, a digit or `^` (a spreadsheet
 * reads a leading `=`, `+`, `@` or `-` as a formula). Never throws. Idempotent: a normalised symbol stays the same.
 *
 *     normaliseSymbol(' brk.b ').symbol   // 'BRK-B'
 *     normaliseSymbol('VOD.L').symbol     // 'VOD.L': London, not a share class
 *     normaliseSymbol('VT MGX').problem   // invalid_characters
 */
export function normaliseSymbol(raw: unknown): SymbolReading {
  if (raw === null || raw === undefined) return refused('missing', missing);
  if (typeof raw !== 'string') return refused('invalid_characters', allowed);
  const text = raw.trim();
  if (text === '') return refused('missing', missing);
  if (text.length > symbolLengthMax) return refused('too_long', tooLong(text.length));
  // Upper-casing first would turn `ß` into `SS` and a dotless `ı` into `I`: a different symbol.
  if (!ascii.test(text)) return refused('invalid_characters', allowed);
  const symbol = joinShareClass(text.toUpperCase());
  if (symbol.includes('..')) return refused('invalid_characters', 'Write one dot, not two in a row.');
  if (!wellFormed.test(symbol)) return refused('invalid_characters', allowed);
  return { symbol, problem: null };
}

const ascii = /^[\x20-\x7e]+$/;
const wellFormed = /^[A-Z0-9^][A-Z0-9.^=_&-]*$/;

/** Base, separator, class letter, and optional exchange suffix: BT.A.L is class A of BT in London. */
const shareClass = /^([A-Z0-9&]+)([./ ])([A-Z])(\.[A-Z]{1,3})?$/;

// After a single dot these letters are exchange suffixes: Frankfurt, London, Tokyo and TSX Venture.
const exchangeLetters = 'FLTV';

function joinShareClass(text: string): string {
  const match = shareClass.exec(text);
  if (!match) return text;
  const [, base, separator, letter = '', exchange = ''] = match;
  if (separator === '.' && exchange === '' && exchangeLetters.includes(letter)) return text;
  return `${base}-${letter}${exchange}`;
}

const missing = 'Write the symbol, like AAPL, BRK-B or VOD.L.';
const allowed =
  'Write the symbol as the exchange does, like AAPL, BRK-B or VOD.L: letters A to Z, digits and . - ^ = _ &, ' +
  'beginning with a letter, a digit or ^, without spaces inside.';
const tooLong = (length: number): string =>
  `Write the symbol alone, not the name: at most ${symbolLengthMax} characters, got ${length}.`;

const refused = (reason: SymbolProblem['reason'], message: string): SymbolReading => ({
  symbol: null,
  problem: { reason, message },
});

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
