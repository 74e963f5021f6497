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
  /** Sends a notification to this node; resolves once the connection that listens for work has received it. */
  echo: () => Promise<void>;
}

const loopFailingSeconds = 5; // several rounds: a single one may fail because of a conflict or a database restart
const feedStaleMs = 5000; // it polls every second, even without a notification

/**
 * What this node needs to accept requests. The price provider is not checked: while it is down, the node still answers
 * queries, accepts uploads that it can verify, and lets jobs wait. If readiness depended on the provider, all nodes
 * would leave the load balancer at once: an outage of the provider would become an outage of this service.
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
    supervisor: () => (supervisor().value === 'accepting' ? null : 'The supervisor accepts no new jobs.'),
    feed() {
      const seconds = Math.round((clock.now() - feed.status().caughtUpAt) / 1000);
      return seconds * 1000 < feedStaleMs
        ? null
        : `The feed has not caught up with the journal for ${seconds} s.`;
    },
  };
  for (const name of Object.keys(loops) as LoopName[]) {
    checks[name] = () => {
      const failure = parts.loops[name].failure();
      if (failure === null || failure.seconds < loopFailingSeconds) return null;
      return `This node has failed to ${loops[name]} for ${Math.round(failure.seconds)} s: ${failure.reason}.`;
    };
  }
  if (database.holdsDirectory !== null) {
    const holds = database.holdsDirectory;
    checks.directory = () =>
      holds() ? null : 'This process has lost the lock of the data directory: another process may use it.';
  }
  return healthChecks(checks, clock);
}

async function missingMigrations(database: Database): Promise<string | null> {
  const rows = await database.sql<{ name: string }>('select name from mikro_orm_migrations');
  const applied = new Set(rows.map(({ name }) => name));
  // Unknown migrations in the database are no failure: a newer version is being rolled out.
  const missing = migrations.map(({ name }) => name).filter((name) => !applied.has(name));
  return missing.length === 0 ? null : `The database lacks these migrations: ${missing.join(', ')}.`;
}
