import { createServer } from 'node:net';
import type { Config } from './config/config.ts';
import type { Database } from './database/database.orm.ts';
import { templatePath } from './database/pglite/template.pglite.ts';
import { AppError } from './kernel/errors.ts';

/** Migrates the database. Throws `database_unusable` if PostgreSQL cannot be reached or refuses the schema. */
export async function migrated(database: Database, config: Config): Promise<void> {
  try {
    await database.migrate();
  } catch (error) {
    if (config.database.kind === 'pglite') throw error;
    const reason = error instanceof Error ? error.message.split('\n')[0] || error.name : String(error);
    throw new AppError('database_unusable', `Cannot use PostgreSQL at DATABASE_URL: ${reason}`, {
      cause: error,
    });
  }
}

// Checked before a database is created for nothing.
export async function assertPortFree({ host, port }: Config): Promise<void> {
  const probe = createServer();
  const failure = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
    probe.once('error', resolve);
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(null)));
  });
  if (failure === null) return;
  const why = failure.code === 'EADDRINUSE' ? 'another program uses the port' : failure.message;
  throw new AppError('port_unusable', `Cannot listen on ${host}:${port}: ${why}. Set another HOST or PORT.`, {
    cause: failure,
  });
}

export function databaseOptions({ database }: Config) {
  return database.kind === 'postgresql'
    ? { databaseUrl: database.url, dataDir: null, fsync: false }
    : {
        databaseUrl: null,
        dataDir: database.dataDir,
        fsync: database.fsync,
        templateAt: templatePath(),
      };
}
