import { PGlite } from '@electric-sql/pglite';
import { dataDir as emptyCluster } from '@electric-sql/pglite-prepopulatedfs';

// A process that does nothing but open PGlite and answer one query: what the service's start is held against.
//
//     pglite-alone.ts <directory>              one that exists
//     pglite-alone.ts <directory> first        a new one, unpacked from PGlite's own prepared directory
const [directory, first] = process.argv.slice(2);
const pglite = await PGlite.create({
  dataDir: directory!,
  ...(first && { loadDataDir: await emptyCluster() }),
});
await pglite.query('select 1');
console.log('http://ready');
await pglite.close();
process.exit();
