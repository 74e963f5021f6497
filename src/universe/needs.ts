import type { Clock } from '../clock.ts';
import type { Transaction } from '../database.ts';
import { lastNewYorkSession } from '../market/sessions.ts';
import { type Detection, detectNeeds } from '../portfolio/detection.ts';
import { type Lot, neededSymbols } from '../portfolio/lots.ts';
import type { UniverseStore } from './universe.store.ts';

export interface NeedsPorts {
  universe: Pick<UniverseStore, 'states'>;
  clock: Clock;
  priceMaxAgeDays: number;
}

/** What is to be done about the symbols that lots need, as the database has it now, or within a transaction. */
export async function readNeeds(
  { universe, clock, priceMaxAgeDays }: NeedsPorts,
  lots: readonly Pick<Lot, 'needs'>[],
  on?: Transaction,
): Promise<Detection> {
  const states = await universe.states(neededSymbols(lots), on ? { on } : {});
  return detectNeeds({ lots, states, lastSession: lastNewYorkSession(clock.now()), priceMaxAgeDays });
}
