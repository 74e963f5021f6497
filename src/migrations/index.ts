import { Migration20261122000000 } from './Migration20261122000000.ts';
import { Migration20261122183154 } from './Migration20261122183154.ts';
import { Migration20261122184635 } from './Migration20261122184635.ts';
import { Migration20261125221430 } from './Migration20261125221430.ts';
import { Migration20261125221612 } from './Migration20261125221612.ts';
import { Migration20261125221910 } from './Migration20261125221910.ts';
import { Migration20261125231111 } from './Migration20261125231111.ts';
import { Migration20261126013500 } from './Migration20261126013500.ts';
import { Migration20261128100000 } from './Migration20261128100000.ts';
import { Migration20261128110000 } from './Migration20261128110000.ts';
import { Migration20261128120000 } from './Migration20261128120000.ts';

/** Every migration, in order. A committed one never changes. */
export const migrations = [
  { name: 'Migration20261122000000', class: Migration20261122000000 },
  { name: 'Migration20261122183154', class: Migration20261122183154 },
  { name: 'Migration20261122184635', class: Migration20261122184635 },
  { name: 'Migration20261125221612', class: Migration20261125221612 },
  { name: 'Migration20261125221430', class: Migration20261125221430 },
  { name: 'Migration20261125221910', class: Migration20261125221910 },
  { name: 'Migration20261125231111', class: Migration20261125231111 },
  { name: 'Migration20261126013500', class: Migration20261126013500 },
  { name: 'Migration20261128100000', class: Migration20261128100000 },
  { name: 'Migration20261128110000', class: Migration20261128110000 },
  { name: 'Migration20261128120000', class: Migration20261128120000 },
];
