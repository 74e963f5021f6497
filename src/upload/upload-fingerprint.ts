import { createHash } from 'node:crypto';
import type { UploadInput } from '../contract/service.ts';

/**
 * What an upload asks for, in 64 hex digits: the file's bytes, or the rows, and every option.
 *
 * It is taken of what was read, not of what was sent: each retry of a form has another boundary, and a client may
 * write its JSON in another order or with other spaces. A field that is null is one that is not there.
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
