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
  /** Passes to this node's feed what a commit is about to write, so that the feed does not read it back. */
  feed: { offer(commit: Promise<readonly FeedEntry[]>): void };
  /** Portfolios per snapshot transaction. */
  snapshotBatch: number;
  batching: BatchOptions;
}

type Of<Kind extends Effect['kind']> = Extract<Effect, { kind: Kind }>;
type With<E extends Effect> = Entry & { effect: E };
type Round = { claim: Claim; effect: Of<'snapshots'> };

/** What was written, and the step that must follow the job rows. */
export interface Written {
  progress: ReadonlyMap<Entry, SnapshotProgress>;
  /** Must be the last statement of the transaction. Returns the feed entries that follow the transitions. */
  announce(): Promise<SnapshotUpdate[]>;
}

export const effectsOfKind = <Kind extends Effect['kind']>(entries: readonly Entry[], kind: Kind) =>
  entries.filter((entry): entry is With<Of<Kind>> => entry.effect?.kind === kind);

const sharedBatch = 25; // portfolios per batch of transitions: other jobs of the batch wait for their locks

/** What phases write, in the lock order of all transactions: job rows and the feed's head are locked after these. */
export function phaseWrites({
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
    /** Writes the effects of the entries. `settling`: symbols whose universe rows the journal statement will update. */
    async write(entries: readonly Entry[], settling: readonly string[], on: Transaction): Promise<Written> {
      const series = effectsOfKind(entries, 'series');
      const measured = effectsOfKind(entries, 'exposures');
      const members = effectsOfKind(entries, 'membership');
      const rounds = effectsOfKind(entries, 'snapshots');
      // The first write locks its own rows in order. If more universe rows follow, or portfolio rows precede them, all
      // universe rows are locked first, in one order, to avoid deadlocks.
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
    /** The second and later batches, in transactions of their own: a symbol in many portfolios must not block transitions. */
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
