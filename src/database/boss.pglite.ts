import { type PGlite, types } from '@electric-sql/pglite';
import { type Db, fromPglite } from 'pg-boss';
import { AppError } from '../kernel/errors.ts';
import { isInsideTransaction } from './database.orm.ts';

// pg-boss computes with Dates, as its own pool would give it; our instance hands dates to the ORM as text.
const parsers = Object.fromEntries(
  [types.DATE, types.TIMESTAMP, types.TIMESTAMPTZ].map((oid) => [oid, types.parsers[oid]!]),
);

/**
 * PGlite as the database of pg-boss, next to the ORM on the same single connection.
 *
 * Inside a transaction pg-boss must be given that transaction (`{ db }`): anything sent through here would wait
 * for the very transaction that waits for it, forever. Such a call rejects at once instead.
 *
 *     const boss = new PgBoss({ backend: 'pglite', db: bossDb(pglite) })
 */
export function bossDb(pglite: PGlite): Db {
  const db = fromPglite({
    query: (text, values) => pglite.query(text, values, { parsers }),
    exec: (text) => pglite.exec(text, { parsers }),
    listen: (channel, listener) => pglite.listen(channel, listener),
  });
  const executeSql = db.executeSql.bind(db);
  db.executeSql = (text, values) =>
    isInsideTransaction() ? Promise.reject(wouldHang(text)) : executeSql(text, values);
  return db;
}

const wouldHang = (text: string) =>
  new AppError(
    'internal_error',
    `Expected pg-boss to be given the open transaction as db, got: ${text.trim().slice(0, 80)}`,
  );
