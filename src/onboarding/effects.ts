import type { Claim, PhaseResults } from '../../machines/protocol.ts';
import type { Database, Transaction } from '../database.ts';
import type { ExposureSet, ExposureStore } from '../factors/exposure.store.ts';
import type { PriceStore, Series } from '../market/price.store.ts';
import type { Instrument } from '../market/provider.ts';
import type { SnapshotStore } from '../portfolio/snapshot.store.ts';
import type { UniverseEntry, UniverseStore } from '../universe/universe.store.ts';
import type { Fence } from './ports.ts';
import { doTogether, type TogetherOptions } from './together.ts';

export interface EffectPorts {
  database: Database;
  prices: Pick<PriceStore, 'replace'>;
  exposures: Pick<ExposureStore, 'replace'>;
  universe: Pick<UniverseStore, 'describe' | 'activate'>;
  snapshots: Pick<SnapshotStore, 'lockDue' | 'recompute' | 'announce'>;
  fence: Fence;
  /** Portfolios per snapshot transaction. */
  snapshotBatch: number;
  together: TogetherOptions;
}

const claimsOf = (items: readonly { claim: Claim }[]): Claim[] => items.map(({ claim }) => claim);

export interface SnapshotRound {
  claim: Claim;
  /** The price date of a portfolio of nothing but cash. */
  session: string;
}

export interface Fetched {
  claim: Claim;
  instrument: Instrument;
  provider: string;
  series: Series;
  /** What the phase has come to. */
  results: PhaseResults;
}

/**
 * What phases write, each in a transaction that ends with the fence: whoever lost the claim writes nothing. Jobs that
 * come to it at once share one; should it fail, each has its own.
 */
export function effectsOn(ports: EffectPorts) {
  const { database, prices, exposures, universe, snapshots, fence, snapshotBatch, together } = ports;
  const effect = <Item extends { claim: Claim }>(
    write: (items: readonly Item[], on: Transaction) => Promise<void>,
    check: (items: readonly Item[], options: { on: Transaction }) => Promise<void>,
  ) =>
    doTogether<Item>(
      (items) =>
        database.transaction(async (on) => {
          await write(items, on);
          await check(items, { on });
          return [];
        }),
      together,
    );
  const updateSnapshots = (items: readonly SnapshotRound[]) =>
    database.transaction(async (on) => {
      const symbols = items.map(({ claim }) => claim.symbol);
      const due = await snapshots.lockDue(symbols, Math.ceil(snapshotBatch / items.length), { on });
      const answer = (lacking: string[]) =>
        symbols.map((symbol) => ({ ...due.symbols.find((one) => one.symbol === symbol)!, lacking }));
      if (due.portfolioIds.length === 0) return answer([]);
      const session = items
        .map((item) => item.session)
        .sort()
        .at(-1)!;
      const lacking = await snapshots.recompute(due.portfolioIds, { causes: symbols, session, on });
      await fence.check(claimsOf(items), { on });
      await snapshots.announce(due.portfolioIds, { on });
      return answer(lacking.map(({ symbol }) => symbol));
    });
  type Claims = readonly { claim: Claim }[];
  const checked = (items: Claims, options: { on: Transaction }) => fence.check(claimsOf(items), options);
  const passed = (items: Claims, options: { on: Transaction }) =>
    fence.passPointOfNoReturn(claimsOf(items), options);
  return {
    /**
     * One batch of the portfolios that are due. Symbols of one portfolio tend to finish at once, and a portfolio is
     * recomputed by one at a time anyway: whoever comes meanwhile is in the next batch.
     */
    updateSnapshots: doTogether(updateSnapshots, { ...together, lanes: 1 }),
    /** The batches after it: a symbol of very many portfolios must not keep the others waiting. */
    updateMoreSnapshots: doTogether(updateSnapshots, together),
    /** The instrument and its whole series. */
    keepSeries: effect<Fetched>(async (items, on) => {
      const described = items.map(({ instrument, provider, series: { actionsFrom } }) => {
        return { ...instrument, provider, historyFrom: actionsFrom };
      });
      await universe.describe(described, { on });
      await prices.replace(
        items.map(({ series }) => series),
        { on },
      );
    }, fence.keep),
    keepExposures: effect<{ claim: Claim; set: ExposureSet }>(async (items, on) => {
      await exposures.replace(
        items.map(({ set }) => set),
        { on },
      );
    }, checked),
    /** From this commit on the symbol prices lots, and cancelling is too late. */
    enterUniverse: effect<{ claim: Claim; entry: UniverseEntry }>(async (items, on) => {
      await universe.activate(
        items.map(({ entry }) => entry),
        { on },
      );
    }, passed),
  };
}
