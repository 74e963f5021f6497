import { existsSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Config, readConfig } from './config/config.ts';
import type { DiagnosisView, Finding } from './contract/schemas.ts';
import type { Database } from './database/database.orm.ts';
import { clusterOf, diagnose } from './diagnosis/diagnosis.probe.ts';
import { AppError } from './kernel/errors.ts';
import { systemClock } from './kernel/system.clock.ts';
import { configuredProviders } from './market-data.ts';
import { openDatabase } from './open-database.ts';
import { databaseOptions } from './startup.ts';

/**
 * Runs the diagnosis without a running service. It opens the configured database and providers and changes nothing: it
 * runs no migration, creates no directory, and does not touch an embedded database that another process has locked.
 */
export async function diagnoseHere(environment: Record<string, string | undefined>): Promise<DiagnosisView> {
  const clock = systemClock;
  const nodeName = `${hostname()}-${process.pid}`;
  const answer = readConfig(environment);
  if ('problems' in answer) {
    const finding: Finding = {
      name: 'settings',
      verdict: 'failed',
      evidence: answer.problems.map(({ message }) => message).join('; '),
      cure: 'Correct the environment variables; `symbol-onboarding serve --help` lists them all.',
      duration_ms: 0,
    };
    const checked_at = new Date(clock.now()).toISOString();
    return { verdict: 'failed', node: nodeName, checked_at, findings: [finding] };
  }
  const { config } = answer;
  const { sources } = configuredProviders(config, clock);
  const opened = await openExisting(config);
  if ('finding' in opened) {
    return diagnose({ config, database: null, sources, gate: null, loops: null, clock, nodeName }, [
      opened.finding,
    ]);
  }
  try {
    const { database } = opened;
    return await diagnose({ config, database, sources, gate: null, loops: null, clock, nodeName });
  } finally {
    await opened.database.close();
  }
}

/** Opens an existing database without creating or migrating it. If it cannot, returns a finding with the reason. */
export async function openExisting(config: Config): Promise<{ database: Database } | { finding: Finding }> {
  const found = (verdict: Finding['verdict'], name: string, evidence: string, cure: string) => ({
    finding: { name, verdict, evidence, cure, duration_ms: 0 },
  });
  if (config.database.kind === 'pglite') {
    const { dataDir } = config.database;
    const cluster = clusterOf(dataDir);
    if (statSync(dataDir, { throwIfNoEntry: false })?.isDirectory() === false) {
      const cure = 'Set DATA_DIR to a directory, or to a path where one can be created.';
      return found(
        'failed',
        'database',
        `Expected DATA_DIR to be a directory, got: the file ${dataDir}.`,
        cure,
      );
    }
    if (!existsSync(join(cluster, 'PG_VERSION'))) {
      const cure =
        '`symbol-onboarding serve` creates one. If one should exist, check DATA_DIR and DATABASE_URL.';
      return found('warning', 'database', `There is no database in ${cluster}.`, cure);
    }
  }
  try {
    return { database: await openDatabase(databaseOptions(config)) };
  } catch (error) {
    const message = error instanceof Error ? error.message.split('\n')[0]! : String(error);
    if (error instanceof AppError && error.code === 'data_dir_in_use') {
      const cure =
        'Run `symbol-onboarding doctor --url` with the address of that process, or stop the process and run doctor again.';
      return found('warning', 'lock', `Database not checked: ${message}.`, cure);
    }
    const cure = 'Check DATABASE_URL or DATA_DIR, and that this user may read and write there.';
    return found('failed', 'database', message, cure);
  }
}
