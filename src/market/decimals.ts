/**
 * The shortest decimal, without exponent, that a provider can have meant by a double.
 *
 * Yahoo stores prices as float32 and sends them widened to doubles. A double that is exactly a float32 becomes the
 * shortest decimal that maps to the same float32, any other the shortest that maps to the same double.
 *
 *     decimalOf(239.64999389648438)   // '239.65'
 *     decimalOf(0.1 + 0.2)            // '0.30000000000000004': not a float32, so every digit counts
 */
export function decimalOf(price: number): string {
  return Math.fround(price) === price ? plainDecimal(shortestFloat32(price)) : plainDecimal(price);
}

/** The shortest decimal, without exponent, that maps to the same double. For counts, which are not float32. */
export function plainDecimal(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`expected a finite number, got: ${value}`);
  const [mantissa = '', exponent] = String(value).split('e');
  return exponent === undefined ? mantissa : movePoint(mantissa, Number(exponent));
}

/**
 * Moves the decimal point of a decimal string, to the left when `places` is negative. Exact: works on digits only.
 *
 *     movePoint('239.65', -2)   // '2.3965'
 */
export function movePoint(decimal: string, places: number): string {
  const sign = decimal.startsWith('-') ? '-' : '';
  const [whole = '', fraction = ''] = decimal.slice(sign.length).split('.');
  const digits = whole + fraction;
  const point = whole.length + places;
  const padded = digits.padStart(digits.length + Math.max(0, 1 - point), '0').padEnd(point, '0');
  const at = Math.max(point, 1);
  const integer = padded.slice(0, at).replace(/^0+(?=\d)/, '');
  const decimals = padded.slice(at).replace(/0+$/, '');
  return `${sign}${integer}${decimals && '.'}${decimals}`;
}

function shortestFloat32(value: number): number {
  // Nine significant digits distinguish any two float32.
  for (let digits = 1; digits < 9; digits += 1) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return Number(value.toPrecision(9));
}
