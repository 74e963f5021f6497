import { MikroORM, type Options } from '@mikro-orm/core';
import { ormConfig } from '../mikro-orm.config.ts';

/**
 * `npm run migration`: writes the migration that leads from the committed ones to the entities, or says that there is
 * none to write. Runs on an empty embedded database, in memory. Add what it wrote to `index.ts` and read it first.
 */
const orm = await MikroORM.init(ormConfig(null) as Options);
try {
  await orm.migrator.up();
  const { fileName } = await orm.migrator.create();
  process.stdout.write(fileName ? `wrote src/migrations/${fileName}\n` : 'the entities have not changed\n');
} finally {
  await orm.close(true);
}
process.exit(0);
