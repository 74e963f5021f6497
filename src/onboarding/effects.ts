import type { Claim } from '../../machines/protocol.ts';
import type { Database, Transaction } from '../database.ts';
import type { ExposureSet, ExposureStore } from '../factors/exposure.store.ts';
import type { PriceStore, Series } from '../market/price.store.ts';
import type { Instrument } from '../market/provider.ts';
import type { UniverseEntry, UniverseStore } from '../universe/universe.store.ts';
import type { Fence } from './ports.ts';
import { doTogether, type TogetherOptions } from './together.ts';

export interface EffectPorts {
  database: Database;
  prices: Pick<PriceStore, 'replace'>;
  exposures: Pick<ExposureStore, 'replace'>;
  universe: Pick<UniverseStore, 'describe' | 'activate'>;
  fence: Fence;
  together: TogetherOptions;
}

export interface Fetched {
  claim: Claim;
  instrument: Instrument;
  provider: string;
  series: Series;
}

/**
 * What phases write, each in a transaction that ends with the fence: whoever lost the claim writes nothing. Jobs that
 * come to it at once share one; should it fail, each has its own.
 */
export function effectsOn({ database, prices, exposures, universe, fence, together }: EffectPorts) {
  const effect = <Item extends { claim: Claim }>(
    write: (items: readonly Item[], on: Transaction) => Promise<void>,
    check: Fence['check'],
  ) =>
    doTogether<Item>(
      (items) =>
        database.transaction(async (on) => {
          await write(items, on);
          await check(
            items.map(({ claim }) => claim),
            { on },
          );
        }),
      together,
    );
  return {
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
    }, fence.check),
    keepExposures: effect<{ claim: Claim; set: ExposureSet }>(async (items, on) => {
      await exposures.replace(
        items.map(({ set }) => set),
        { on },
      );
    }, fence.check),
    /** From this commit on the symbol prices lots, and cancelling is too late. */
    enterUniverse: effect<{ claim: Claim; entry: UniverseEntry }>(async (items, on) => {
      await universe.activate(
        items.map(({ entry }) => entry),
        { on },
      );
    }, fence.passPointOfNoReturn),
  };
}
