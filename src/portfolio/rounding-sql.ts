/**
 * A quotient in SQL, rounded once, half away from zero. Null if the divisor is 0; it must not be negative.
 *
 * `/` would round to about 16 digits first. `div` truncates to a whole number exactly.
 */
export const quotientSql = (dividend: string, divisor: string, decimals: number): string => {
  const scaled = `abs(${dividend}) * 2e${decimals}`;
  const whole = `div(${scaled} + ${divisor}, 2 * nullif(${divisor}, 0))`;
  return `round(sign(${dividend}) * ${whole} * 1e-${decimals}, ${decimals})`;
};
