import { createHash } from 'node:crypto';
import { join } from 'node:path';
import manifest from '../../../package.json' with { type: 'json' };
import { migrations } from '../../migrations/index.ts';

/**
 * Where a new, migrated embedded database is kept, so that the next first start on this machine copies it: in a
 * directory of our own, like what is compiled. Its name tells what decides how it looks, the text of each migration
 * included, so another version of the service finds none and keeps its own.
 */
export function templatePath(): string {
  const hash = createHash('sha256').update(manifest.dependencies['@electric-sql/pglite']);
  for (const { name, class: migration } of migrations)
    hash.update(name).update(String(migration.prototype.up));
  const name = hash.digest('hex').slice(0, 16);
  return join(import.meta.dirname, '../../../node_modules/.cache/cluster', name);
}
