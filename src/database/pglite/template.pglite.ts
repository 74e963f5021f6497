import { createHash } from 'node:crypto';
import { join } from 'node:path';
import manifest from '../../../package.json' with { type: 'json' };
import { migrations } from '../../migrations/index.ts';

/**
 * Path of the migrated template database that the next first start on this machine copies. It lies in
 * `node_modules/.cache`, next to the compile cache. Its name is a hash of the PGlite version and the text of each
 * migration, so another version of the service does not find it and keeps its own.
 */
export function templatePath(): string {
  const hash = createHash('sha256').update(manifest.dependencies['@electric-sql/pglite']);
  for (const { name, class: migration } of migrations)
    hash.update(name).update(String(migration.prototype.up));
  const name = hash.digest('hex').slice(0, 16);
  return join(import.meta.dirname, '../../../node_modules/.cache/cluster', name);
}
