import type { Database, Transaction } from '../database.ts';
import type { AdmissionStore } from './admission.store.ts';

export interface UpkeepStore {
  /**
   * Gives exchange-rate series that lots lack a job each, as depth allows. One whose job has failed since a session
   * waits for the next session: a currency that nobody quotes must not be asked for by every symbol that trades in it.
   */
  requestRates(symbols: readonly string[], options: { session: string }): Promise<void>;
}

/** Who asks for what no user asked for. */
const requestedBy = 'service';

interface UpkeepOptions {
  admission: AdmissionStore;
  universe: {
    reserve(
      symbols: readonly string[],
      instruments: readonly [],
      options: { on: Transaction },
    ): Promise<void>;
  };
}

export function upkeepStore(database: Database, { admission, universe }: UpkeepOptions): UpkeepStore {
  return {
    async requestRates(symbols, { session }) {
      const due = await database.sql<{ symbol: string }>(untriedSql, [symbols, session]);
      if (due.length === 0) return;
      const names = due.map(({ symbol }) => symbol);
      await database.transaction(async (on) => {
        await universe.reserve(names, [], { on });
        await database.sql(markSql, [names, session], { on });
        const wanted = names.map((symbol) => ({ symbol, reason: 'refresh' as const }));
        await admission.admit(wanted, { requestedBy, on });
      });
    },
  };
}

const untriedSql = `
  select s.symbol from unnest($1::text[]) as s(symbol)
  left join symbol_universe u on u.symbol = s.symbol
  left join lateral (select status from onboarding_jobs where symbol = s.symbol order by id desc limit 1) j on true
  where j.status is null or j.status = 'completed' or j.status in ('failed', 'cancelled')
    and u.refreshed_for is distinct from $2::date
  order by s.symbol collate "C"`;

const markSql = 'update symbol_universe set refreshed_for = $2::date where symbol = any($1::text[])';
