import type { Database } from '../database/database.orm.ts';
import { AppError } from '../kernel/errors.ts';
import type { ProviderName } from './provider.ts';

/**
 * A database remembers which market filled it: invented prices among real ones would never be found again.
 *
 * Throws `provider_mismatch` when it was filled from the simulated market and the other kind is configured now, or
 * the other way round.
 */
export async function claimProvider(database: Database, provider: ProviderName): Promise<void> {
  const kind = provider === 'simulated' ? 'simulated' : 'real';
  const [row] = await database.sql<{ value: string }>(
    `insert into service_state (key, value) values ('market', to_jsonb($1::text))
     on conflict (key) do update set value = service_state.value returning value #>> '{}' as value`,
    [kind],
  );
  if (row!.value === kind) return;
  throw new AppError(
    'provider_mismatch',
    `This database was filled from a ${row!.value} market; expected MARKET_DATA of that kind or another database ` +
      `(DATA_DIR, DATABASE_URL), got: ${provider}`,
  );
}
