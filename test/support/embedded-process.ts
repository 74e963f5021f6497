import { openAsBlob } from 'node:fs';
import { createInterface } from 'node:readline';
import { lockDirectory } from '../../src/database/pglite/directory.lock.ts';
import { openPglite } from '../../src/database/pglite/open.pglite.ts';

// A process of its own that holds a data directory, for tests that kill it. Each line of its standard output is what
// has happened; it lives until its standard input ends.
//
//     embedded-process.ts lock <directory>               "locked"
//     embedded-process.ts open <dataDir> [<template>]    "open", then for each statement on standard input "done"
const [what, path, template] = process.argv.slice(2);
const statements = createInterface({ input: process.stdin });
try {
  if (what === 'lock') {
    lockDirectory(path!);
    console.log('locked');
  } else {
    const loadDataDir = template ? await openAsBlob(template) : undefined;
    const { pglite, close } = await openPglite({ dataDir: path!, fsync: false, loadDataDir });
    console.log('open');
    for await (const statement of statements) {
      await pglite.exec(statement);
      console.log('done');
    }
    await close();
  }
} catch (error) {
  console.log((error as Error).message);
  process.exitCode = 1;
  statements.close();
}
