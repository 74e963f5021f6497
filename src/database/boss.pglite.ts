import { type PGlite, types } from '@electric-sql/pglite';
import { type Db, fromPglite } from 'pg-boss';
import { AppError } from '../kernel/errors.ts';
import { isInsideTransaction } from './database.orm.ts';

// pg-boss computes with Dates, which its own pool would return. Our PGlite returns dates as text, for the ORM.
const parsers = Object.fromEntries(
  [types.DATE, types.TIMESTAMP, types.TIMESTAMPTZ].map((oid) => [oid, types.parsers[oid]!]),
);

/**
 * PGlite as the database of pg-boss. It shares its single connection with the ORM.
 *
 * Inside a transaction pass that transaction to pg-boss (`{ db }`). A call through this object would deadlock: it waits
 * for the transaction, and the transaction waits for it. Such a call rejects immediately.
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
