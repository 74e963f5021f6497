/**
 * Text that every store and screen accepts: at most `max` UTF-16 units, no control characters, no half of a surrogate
 * pair. PostgreSQL refuses NUL in `text` and lone surrogates in `jsonb`, and one such message would make a whole
 * batch of the journal fail.
 *
 *     plainText('no data\u0000 for AAPL', 100)   // 'no data  for AAPL'
 */
export function plainText(text: string, max: number): string {
  const whole = text.toWellFormed().replace(/\p{Cc}/gu, ' ');
  return whole.length <= max ? whole : `${whole.slice(0, max - 1).toWellFormed()}…`;
}
