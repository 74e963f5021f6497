/**
 * Cleans text for every store and screen: at most `max` UTF-16 units, no control characters, no lone surrogates.
 * PostgreSQL rejects NUL in `text` and lone surrogates in `jsonb`, and one such message would make a whole journal
 * batch fail.
 *
 *     plainText('no data\u0000 for AAPL', 100)   // 'no data  for AAPL'
 */
export function plainText(text: string, max: number): string {
  const whole = text.toWellFormed().replace(/\p{Cc}/gu, ' ');
  return whole.length <= max ? whole : `${whole.slice(0, max - 1).toWellFormed()}…`;
}
