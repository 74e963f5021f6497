import type { Database } from '../../src/database/database.orm.ts';

export interface Statement {
  text: string;
  parameters: readonly unknown[];
  isPrepared: boolean;
}

/** The same database, and every statement that is sent through it from now on. */
export function recordStatements(database: Database): { database: Database; statements: Statement[] } {
  const statements: Statement[] = [];
  const sql: Database['sql'] = (text, parameters = [], options = {}) => {
    statements.push({ text, parameters, isPrepared: options.prepared ?? false });
    return database.sql(text, parameters, options);
  };
  return { database: { ...database, sql }, statements };
}
