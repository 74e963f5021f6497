import { onTestFinished } from 'vitest';
import type { Database } from '../../src/database/database.orm.ts';
import type { MarketDataProvider } from '../../src/market/provider.ts';

/** A place where the service stands still until the test lets it go on; opened with the end of the test. */
export interface Gate {
  /** Resolves when somebody stands before it. */
  reached: Promise<void>;
  open(): void;
}

export interface HeldGate extends Gate {
  /** To be awaited by whoever comes through; rejects with the signal's reason. */
  pass(signal?: AbortSignal): Promise<void>;
}

export function makeGate(): HeldGate {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  onTestFinished(() => opened.resolve());
  return {
    reached: reached.promise,
    open: opened.resolve,
    async pass(signal) {
      reached.resolve();
      const aborted = Promise.withResolvers<never>();
      const abort = () => aborted.reject(signal?.reason);
      signal?.addEventListener('abort', abort);
      await Promise.race([opened.promise, aborted.promise]).finally(() =>
        signal?.removeEventListener('abort', abort),
      );
      signal?.throwIfAborted();
    },
  };
}

/**
 * A provider whose answers can be held back.
 *
 *     const fetching = provider.hold('AAPL');
 *     await fetching.reached;   // the history of AAPL has been asked for
 *     fetching.open();          // and is answered
 */
export function gatedProvider(
  inner: MarketDataProvider,
): MarketDataProvider & { hold(symbol: string, options?: { after?: number }): Gate } {
  const gates = new Map<string, { gate: HeldGate; free: number }>();
  return {
    name: inner.name,
    lookup: (symbols, options) => inner.lookup(symbols, options),
    async history(request) {
      const held = gates.get(request.symbol);
      if (held && held.free-- <= 0) await held.gate.pass(request.signal);
      return inner.history(request);
    },
    /** Holds the histories of a symbol, `after` so many that pass. */
    hold(symbol, { after = 0 } = {}) {
      const gate = makeGate();
      gates.set(symbol, { gate, free: after });
      return gate;
    },
  };
}

/** Whether this is the statement to stand still before. */
export type StatementMatch = (text: string, parameters: readonly unknown[]) => boolean;

/**
 * A database that stands still before a statement, once, with its transaction open.
 *
 *     const admission = database.holdBefore((text) => text.includes('pg_advisory_xact_lock'));
 */
export function gatedDatabase(inner: Database): Database & { holdBefore(matches: StatementMatch): Gate } {
  const held: { gate: HeldGate; matches: StatementMatch }[] = [];
  return {
    ...inner,
    async sql<Row>(
      text: string,
      parameters: readonly unknown[] = [],
      options?: Parameters<Database['sql']>[2],
    ) {
      const index = held.findIndex(({ matches }) => matches(text, parameters));
      if (index >= 0) await held.splice(index, 1)[0]?.gate.pass();
      return inner.sql<Row>(text, parameters, options);
    },
    holdBefore(matches) {
      const gate = makeGate();
      held.push({ gate, matches });
      return gate;
    },
  };
}

/** Resolves once so many sessions of this PostgreSQL database wait for a lock that another one holds. */
export async function sessionsBlocked(database: Database, count = 1): Promise<void> {
  for (;;) {
    const [row] = await database.sql<{ blocked: number }>(
      `select count(*)::int as blocked from pg_stat_activity
       where datname = current_database() and cardinality(pg_blocking_pids(pid)) > 0`,
    );
    if (row!.blocked >= count) return;
  }
}

/** Runs a statement in a transaction that stays open; answers how to commit it. Needs a database of several sessions. */
export async function holdOpen(
  database: Database,
  text: string,
  parameters: readonly unknown[] = [],
): Promise<() => Promise<void>> {
  const [held, committed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  onTestFinished(() => committed.resolve());
  const over = database.transaction(async (on) => {
    await database.sql(text, parameters, { on });
    held.resolve();
    await committed.promise;
  });
  await Promise.race([held.promise, over]);
  return async () => {
    committed.resolve();
    await over;
  };
}
