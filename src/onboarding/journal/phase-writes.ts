import type { Claim } from '../../../machines/protocol.ts';
import type { FeedEntry } from '../../contract/feed.ts';
import type { Database, Transaction } from '../../database/database.orm.ts';
import type { ExposureStore } from '../../factors/exposure.store.ts';
import { type BatchOptions, batch } from '../../kernel/batching.ts';
import type { PriceStore } from '../../market/price.store.ts';
import type { SnapshotStore } from '../../portfolio/snapshot.store.ts';
import type { SnapshotUpdate } from '../../portfolio/snapshot-feed.query.ts';
import type { UniverseStore } from '../../universe/universe.store.ts';
import type { Effect, Entry, Fence, SnapshotProgress } from '../job/ports.ts';

export interface EffectPorts {
  database: Database;
  prices: Pick<PriceStore, 'replace'>;
  exposures: Pick<ExposureStore, 'replace'>;
  universe: Pick<UniverseStore, 'lock' | 'describe' | 'activate'>;
  snapshots: Pick<SnapshotStore, 'lockDue' | 'recompute' | 'announce'>;
  fence: Fence;
  /** Hands this node's feed what a commit will have written, so that it need not be read back. */
  feed: { offer(commit: Promise<readonly FeedEntry[]>): void };
  /** Portfolios per snapshot transaction. */
  snapshotBatch: number;
  batching: BatchOptions;
}

type Of<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>;
type With<E extends Effect> = Entry & { effect: E };
type Round = { claim: Claim; effect: Of<'snapshots'> };

/** What was written, and what is left to do once the job rows are. */
export interface Written {
  progress: ReadonlyMap<Entry, SnapshotProgress>;
  /** The last statement of the transaction; answers what stands in the feed behind the transitions. */
  announce(): Promise<SnapshotUpdate[]>;
}

export const allOf = <Kind extends Effect['kind']>(entries: readonly Entry[], kind: Kind) =>
  entries.filter((entry): entry is With<Of<Kind>> => entry.effect?.kind === kind);

const sharedBatch = 25; // portfolios that a batch of transitions may have to wait for

/** What phases write, in the lock order of the house: whatever concerns job rows and the feed comes after it. */
export function effectsOn({
  database,
  prices,
  exposures,
  universe,
  snapshots,
  fence,
  feed,
  ...options
}: EffectPorts) {
  const { snapshotBatch, batching } = options;

  const noted = async <T>(entries: readonly Entry[], work: () => Promise<T>): Promise<T | undefined> =>
    entries.length > 0
      ? batching.attribution.onBehalfOf(
          entries.map(({ notes }) => notes),
          work,
        )
      : undefined;

  const writeSeries = async (series: readonly With<Of<'series'>>[], on: Transaction) => {
    const described = series.map(({ effect: { instrument, provider, series: own } }) => {
      return { ...instrument, provider, historyFrom: own.actionsFrom };
    });
    await universe.describe(described, { on });
    await prices.replace(
      series.map(({ effect }) => effect.series),
      { on },
    );
  };

  const updateSnapshots = async (rounds: readonly Round[], limit: number, on: Transaction) => {
    const symbols = rounds.map(({ claim }) => claim.symbol);
    const due = await snapshots.lockDue(symbols, Math.ceil(limit / rounds.length), { on });
    const sessions = rounds.map(({ effect }) => effect.session).sort();
    const missing =
      due.portfolioIds.length > 0
        ? await snapshots.recompute(due.portfolioIds, { causes: symbols, session: sessions.at(-1)!, on })
        : [];
    const lacking = missing.map(({ symbol }) => symbol);
    const progress = symbols.map((symbol): SnapshotProgress => {
      const { portfolios, isLast } = due.symbols.find((one) => one.symbol === symbol)!;
      return { portfolios, isLast, lacking };
    });
    return { progress, portfolioIds: due.portfolioIds };
  };

  return {
    /** Writes the effects among the entries. `settling` are symbols whose universe rows the journal will write. */
    async write(entries: readonly Entry[], settling: readonly string[], on: Transaction): Promise<Written> {
      const series = allOf(entries, 'series');
      const measured = allOf(entries, 'exposures');
      const members = allOf(entries, 'membership');
      const rounds = allOf(entries, 'snapshots');
      // Whoever writes first locks its rows in order. Rows of others, or portfolios before them, need one order for all.
      const first = new Set((series.length > 0 ? series : members).map(({ claim }) => claim.symbol));
      const all = new Set([...first, ...members.map(({ claim }) => claim.symbol), ...settling]);
      if (first.size > 0 ? all.size > first.size : settling.length > 0 && rounds.length > 0)
        await universe.lock([...all], { on });
      await noted(series, () => writeSeries(series, on));
      await noted(measured, () =>
        exposures.replace(
          measured.map(({ effect }) => effect.set),
          { on },
        ),
      );
      await noted(members, () =>
        universe.activate(
          members.map(({ effect }) => effect.entry),
          { on },
        ),
      );
      const updated = await noted(rounds, () =>
        updateSnapshots(rounds, Math.min(sharedBatch, snapshotBatch), on),
      );
      return {
        progress: new Map(rounds.map((round, index) => [round, updated!.progress[index]!])),
        async announce() {
          const changed = updated?.portfolioIds ?? [];
          return changed.length > 0 ? snapshots.announce(changed, { on }) : [];
        },
      };
    },
    /** The batches after the first: a symbol of very many portfolios must not keep transitions waiting. */
    updateMoreSnapshots: batch<Round, SnapshotProgress>(async (rounds) => {
      const updated = database.transaction(async (on) => {
        const { progress, portfolioIds } = await updateSnapshots(rounds, snapshotBatch, on);
        if (portfolioIds.length === 0) return { progress, updates: [] };
        await fence.check(
          rounds.map(({ claim }) => claim),
          { on },
        );
        return { progress, updates: await snapshots.announce(portfolioIds, { on }) };
      });
      feed.offer(updated.then(({ updates }) => updates));
      return (await updated).progress;
    }, batching),
  };
}
