import { decimalFields } from '../../contract/schemas.ts';
import { AppError } from '../../kernel/errors.ts';

const decimalKeys: ReadonlySet<string> = new Set(decimalFields);

/** With ECMAScript's third argument of a reviver, which TypeScript's library lacks. */
type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;

/**
 * Parses a JSON body and keeps the digits of decimal fields as written.
 *
 * A quantity of `0.1000000000000000055` must not pass through a binary float, so numbers in `quantity`,
 * `entry_price`, `strike_price` and `exit_price` become strings. Throws `malformed_json`, also for bytes that are
 * not UTF-8 and for keys that would change an object's prototype.
 *
 *     parseJson(Buffer.from('{"quantity": 1.10}'))   // { quantity: '1.10' }
 */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  if (text.trim() === '') throw new AppError('malformed_json', 'The body is empty. Send JSON.');
  const revive: Reviver = (key, value, context) => {
    if (key === '__proto__') throw new AppError('malformed_json', 'The key "__proto__" is not allowed.');
    return typeof value === 'number' && decimalKeys.has(key) ? (context.source ?? String(value)) : value;
  };
  try {
    return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
  } catch (error) {
    if (error instanceof AppError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError('malformed_json', `The body is not valid JSON: ${reason}`);
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new AppError('malformed_json', 'The body is not valid UTF-8.');
  }
}
