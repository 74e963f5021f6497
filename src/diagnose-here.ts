import { existsSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Config, readConfig } from './config/config.ts';
import type { DiagnosisView, Finding } from './contract/schemas.ts';
import { type Database, openDatabase } from './database/database.orm.ts';
import { clusterOf, diagnose } from './diagnosis/diagnosis.probe.ts';
import { systemClock } from './kernel/clock.ts';
import { AppError } from './kernel/errors.ts';
import { configuredProviders } from './market-data.ts';
import { databaseOptions } from './startup.ts';

/**
 * The diagnosis where no service runs: opens what the environment configures, looks, and leaves it as it was. No
 * migration is run, no directory is made, and an embedded database that somebody holds is left alone.
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

/** What is there already: nothing is made, nothing migrated. Else why there is nothing to look into. */
export async function openExisting(config: Config): Promise<{ database: Database } | { finding: Finding }> {
  const found = (verdict: Finding['verdict'], name: string, evidence: string, cure: string) => ({
    finding: { name, verdict, evidence, cure, duration_ms: 0 },
  });
  if (config.database.kind === 'pglite') {
    const { dataDir } = config.database;
    const cluster = clusterOf(dataDir);
    if (statSync(dataDir, { throwIfNoEntry: false })?.isDirectory() === false) {
      const cure = 'Set DATA_DIR to a directory, or to a path where one can be made.';
      return found(
        'failed',
        'database',
        `Expected DATA_DIR to be a directory, got: the file ${dataDir}.`,
        cure,
      );
    }
    if (!existsSync(join(cluster, 'PG_VERSION'))) {
      const cure =
        '`symbol-onboarding serve` makes one. If there should be one: look at DATA_DIR and DATABASE_URL.';
      return found('warning', 'database', `There is no database in ${cluster}.`, cure);
    }
  }
  try {
    return { database: await openDatabase(databaseOptions(config)) };
  } catch (error) {
    const message = error instanceof Error ? error.message.split('\n')[0]! : String(error);
    if (error instanceof AppError && error.code === 'data_dir_in_use') {
      const cure =
        'Ask that process: `symbol-onboarding doctor --url` with its address. Or stop it and ask again.';
      return found('warning', 'lock', `Not looked into: ${message}.`, cure);
    }
    const cure = 'Look at DATABASE_URL or DATA_DIR, and whether this user may read and write there.';
    return found('failed', 'database', message, cure);
  }
}
