import { movePoint } from '../market/decimals.ts';
import { isFormulaLike } from './csv-cells.ts';

export const decimalsMax = 6;
export const integerDigitsMax = 15;

export type DecimalFlaw = 'not_a_number' | 'too_many_decimals' | 'too_many_digits';

/** `fix` is advice for this text; null if only the general advice applies. */
export type DecimalReading =
  | { value: string; flaw: null }
  | { value: null; flaw: DecimalFlaw; fix: string | null };

/**
 * Reads a decimal number exactly, without binary floats.
 *
 * Accepts a minus, digits and one point, at most 15 digits before it and 6 after (zeros at either end do not count).
 * Other formats of people and spreadsheets (1,200 or $5 or 1E+05) are refused because they are ambiguous; `fix` then has
 * the format to use.
 *
 *     readDecimal('0850.500').value    // '850.5'
 *     readDecimal('(1,200.50)').fix   // 'Write -1200.50: …'
 */
export function readDecimal(text: string): DecimalReading {
  if (!decimal.test(text)) return { value: null, flaw: 'not_a_number', fix: adviceFor(text) };
  const value = withoutNegativeZero(movePoint(text, 0));
  const [whole = '', fraction = ''] = value.split('.');
  if (whole.replace('-', '').length > integerDigitsMax) return flawed('too_many_digits');
  return fraction.length > decimalsMax ? flawed('too_many_decimals') : { value, flaw: null };
}

const decimal = /^-?(\d+\.?\d*|\.\d+)$/;

const flawed = (flaw: DecimalFlaw): DecimalReading => ({ value: null, flaw, fix: null });

const withoutNegativeZero = (value: string): string => (value === '-0' ? '0' : value);

type Advice = (digits: string, sign: string) => string;

const advised: [shape: RegExp, advice: Advice][] = [
  [/^\d{1,3},\d{3}$/, eitherComma],
  [
    /^\d{1,3}([,'’\s]\d{3})+(\.\d+)?$/,
    (text, sign) => written(sign + text.replace(/[^\d.]/g, ''), 'no separators'),
  ],
  [
    /^\d{1,3}(\.\d{3})+,\d+$/,
    (text, sign) => written(sign + withPoint(text), 'a point, only before the decimals'),
  ],
  [/^\d+,\d+$/, (text, sign) => written(sign + withPoint(text), 'a point before the decimals')],
  [/^[\d.]+e[+-]?\d+$/i, () => 'Write all digits. Format the cell as a number, not in scientific notation.'],
  [/%$/, () => 'Write the number itself, not a percentage.'],
];

function adviceFor(text: string): string | null {
  if (text.length > 60) return null; // not a number
  const { sign, rest } = splitSign(text);
  const digits = rest.replace(currencyMark, '');
  for (const [shape, advice] of advised) if (shape.test(digits)) return advice(digits, sign);
  if (decimal.test(digits)) {
    return written(
      sign + digits,
      digits === rest ? 'a hyphen for minus, nothing for plus' : 'no currency sign',
    );
  }
  return isFormulaLike(text) ? 'Formulas are not evaluated. Write the result, like 1200.50.' : null;
}

/** Signs in all formats: before or after the number, as brackets, as a typographic minus. */
function splitSign(text: string): { sign: string; rest: string } {
  const negative = /^\((.*)\)$/.exec(text) ?? /^[-−–](.*)$/.exec(text) ?? /^(.*)-$/.exec(text);
  if (negative) return { sign: '-', rest: negative[1] ?? '' };
  return { sign: '', rest: text.replace(/^\+/, '') };
}

const currencyMark = /^\s*([A-Z]{3}|[A-Z]{0,2}\p{Sc})\s*|\s*([A-Z]{3}|\p{Sc})\s*$/u;

const written = (number: string, rule: string): string => `Write ${number}: ${rule}.`;
const withPoint = (text: string): string => text.replaceAll('.', '').replace(',', '.');

function eitherComma(text: string, sign: string): string {
  const [whole, rest] = text.split(',');
  return `Write ${sign}${whole}${rest} or ${sign}${whole}.${rest}: the comma is ambiguous.`;
}
