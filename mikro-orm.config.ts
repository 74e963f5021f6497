import { Migrator } from '@mikro-orm/migrations';
import { defineConfig as definePglite, PgliteDriver } from '@mikro-orm/pglite';
import { defineConfig as definePostgres, PostgreSqlDriver } from '@mikro-orm/postgresql';
import { Ticket } from './src/api/access/ticket.entity.ts';
import { discardBrokenConnections, sessionOptions } from './src/database/postgres.pool.ts';
import { SymbolFactorExposure } from './src/factors/exposure.entity.ts';
import { CorporateActionRow, Price, ProxySetRow } from './src/market/price.entity.ts';
import { migrations } from './src/migrations/index.ts';
import {
  ClusterPermit,
  FeedHead,
  JobCount,
  OnboardingJob,
  OnboardingTransition,
  ServiceState,
} from './src/onboarding/job/job.entity.ts';
import { Portfolio, PortfolioRate, PortfolioSnapshot, Position } from './src/portfolio/portfolio.entity.ts';
import { SymbolUniverse } from './src/universe/universe.entity.ts';
import { IdempotencyKey } from './src/upload/idempotency.entity.ts';

const common = {
  entities: [
    SymbolUniverse,
    Price,
    CorporateActionRow,
    ProxySetRow,
    SymbolFactorExposure,
    Portfolio,
    Position,
    PortfolioRate,
    PortfolioSnapshot,
    OnboardingJob,
    JobCount,
    OnboardingTransition,
    FeedHead,
    ClusterPermit,
    ServiceState,
    IdempotencyKey,
    Ticket,
  ],
  extensions: [Migrator],
  migrations: {
    path: new URL('./src/migrations', import.meta.url).pathname,
    migrationsList: migrations,
    emit: 'ts' as const,
    snapshot: false,
    silent: true,
  },
  // Every statement of a request or a phase names its own transaction; nothing runs on a shared entity manager.
  allowGlobalContext: false,
};

/** One configuration for both drivers: PostgreSQL where a URL is given, else embedded PGlite. */
export function ormConfig(databaseUrl: string | null) {
  if (databaseUrl === null) return definePglite({ ...common, driver: PgliteDriver, dbName: 'memory://' });
  return definePostgres({
    ...common,
    driver: PostgreSqlDriver,
    clientUrl: databaseUrl,
    pool: { min: 0, max: 10 },
    driverOptions: {
      ...sessionOptions,
      onPoolCreated: discardBrokenConnections,
    },
  });
}

export default ormConfig(process.env.DATABASE_URL || null);
