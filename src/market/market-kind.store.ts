import type { Database } from '../database/database.orm.ts';
import { AppError } from '../kernel/errors.ts';
import type { ProviderName } from './provider.ts';

/**
 * Records in the database whether it holds real or simulated prices, because a mixture could not be separated again.
 *
 * Throws `provider_mismatch` if the database holds simulated prices and a real provider is configured, or the reverse.
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
    `This database holds ${row!.value} prices, but MARKET_DATA is ${provider}. Set MARKET_DATA to a ${row!.value} ` +
      'provider, or use another database (DATA_DIR, DATABASE_URL).',
  );
}
