import { z } from 'zod';

const inQuotes = String.raw`(?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\])+`;
const bare = String.raw`[\x21\x23-\x7e][\x21-\x7e]*`; // no leading quote: that would need a closing one
const pattern = new RegExp(`^(?:"(${inQuotes})"|${bare})$`);
const keyMax = 255;

/**
 * The header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): 1 to 255 visible ASCII characters, as a
 * structured-field string or bare. Null if it is neither.
 *
 *     readIdempotencyKey('"8e03978e"')   // '8e03978e', as is readIdempotencyKey('8e03978e')
 */
export function readIdempotencyKey(value: string): string | null {
  const found = pattern.exec(value);
  if (!found) return null;
  const key = found[1]?.replace(/\\(.)/g, '$1') ?? value;
  return key.length <= keyMax ? key : null;
}

const allowed = `Allowed: 1 to ${keyMax} visible ASCII characters, with or without double quotes.`;

/** For requests that may have the header; other headers are not validated. */
export const idempotencyHeadersSchema = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(pattern, allowed)
    .refine((value) => !pattern.test(value) || readIdempotencyKey(value) !== null, allowed) // one message is enough
    .optional()
    .meta({
      description:
        'A text that is unique among your uploads, such as a UUID; `"8e03978e"` and `8e03978e` are the same key. The same ' +
        'upload with the same key within a day gets the same response, and is saved once.',
    }),
});
