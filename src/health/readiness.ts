import type { SnapshotFrom } from 'xstate';
import type { supervisorMachine } from '../../machines/supervisor.ts';
import type { Database } from '../database/database.orm.ts';
import type { Clock } from '../kernel/clock.ts';
import { type LoopHealths, type LoopName, loops } from '../kernel/loop-health.ts';
import { migrations } from '../migrations/index.ts';
import type { TransitionFeed } from '../onboarding/feed/transition.feed.ts';
import { type Check, healthChecks } from './run-checks.ts';

export interface HealthParts {
  database: Database;
  clock: Clock;
  feed: TransitionFeed;
  loops: LoopHealths;
  supervisor: () => SnapshotFrom<typeof supervisorMachine>;
  /** Sends itself a notification; resolves when it has come back over the connection that listens for work. */
  echo: () => Promise<void>;
}

const loopFailingSeconds = 5; // several rounds: one may fail in a conflict, or while the database restarts
const feedStaleMs = 5000; // it looks each second, whether somebody told it or not

/**
 * What this node needs to take requests. The provider of prices is not among it: while that is away the node still
 * answers every question, keeps what is uploaded where it can be verified, and waits; taken out of service by all of
 * them at once, nodes would turn somebody else's outage into ours.
 */
export function readiness(parts: HealthParts) {
  const { database, clock, feed, supervisor, echo } = parts;
  const checks: Record<string, Check> = {
    async database() {
      await database.sql('select 1');
      return null;
    },
    schema: () => missingMigrations(database),
    async queue() {
      await echo();
      return null;
    },
    supervisor: () => (supervisor().value === 'accepting' ? null : 'It takes no new work.'),
    feed() {
      const seconds = Math.round((clock.now() - feed.status().caughtUpAt) / 1000);
      return seconds * 1000 < feedStaleMs ? null : `It has not read to its end for ${seconds} s.`;
    },
  };
  for (const name of Object.keys(loops) as LoopName[]) {
    checks[name] = () => {
      const failure = parts.loops[name].failure();
      if (failure === null || failure.seconds < loopFailingSeconds) return null;
      return `It has failed to ${loops[name]} for ${Math.round(failure.seconds)} s: ${failure.reason}.`;
    };
  }
  if (database.holdsDirectory !== null) {
    const holds = database.holdsDirectory;
    checks.directory = () => (holds() ? null : 'Another process may work in the data directory.');
  }
  return healthChecks(checks, clock);
}

async function missingMigrations(database: Database): Promise<string | null> {
  const rows = await database.sql<{ name: string }>('select name from mikro_orm_migrations');
  const applied = new Set(rows.map(({ name }) => name));
  // One that only the database knows is of a newer version, which is being rolled out.
  const missing = migrations.map(({ name }) => name).filter((name) => !applied.has(name));
  return missing.length === 0 ? null : `The database lacks ${missing.join(', ')}.`;
}
