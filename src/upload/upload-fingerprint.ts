import { createHash } from 'node:crypto';
import type { UploadInput } from '../contract/service.ts';

/**
 * Hash of an upload in 64 hex digits: the bytes of the file, or the rows, and every option.
 *
 * Based on the parsed upload, not on the raw body: each retry of a form has another boundary, and JSON may have another
 * order or other spaces. A null field equals an absent one.
 */
export function fingerprintOf({
  source,
  name,
  baseCurrency,
  allowDuplicates,
}: Omit<UploadInput, 'owner'>): string {
  const options = JSON.stringify([source.kind, name, baseCurrency, allowDuplicates]);
  const hash = createHash('sha256').update(`${options}\n`);
  return hash.update(source.kind === 'csv' ? source.bytes : canonical(source.positions)).digest('hex');
}

function canonical(positions: readonly object[]): string {
  const rows = positions.map((position) =>
    Object.entries(position)
      .filter(([, value]) => value !== null && value !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  return JSON.stringify(rows);
}
