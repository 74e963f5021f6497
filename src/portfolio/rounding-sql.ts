/**
 * A quotient in SQL, rounded once, half away from zero; null where nothing is divided by.
 *
 * `/` keeps some 16 digits and rounds there first; `div` cuts whole numbers exactly. The divisor must not be negative.
 */
export const quotientSql = (dividend: string, divisor: string, decimals: number): string => {
  const scaled = `abs(${dividend}) * 2e${decimals}`;
  const whole = `div(${scaled} + ${divisor}, 2 * nullif(${divisor}, 0))`;
  return `round(sign(${dividend}) * ${whole} * 1e-${decimals}, ${decimals})`;
};
