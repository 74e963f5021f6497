import type { Database, Transaction } from '../../database/database.orm.ts';
import type { SnapshotUpdate } from '../../portfolio/snapshot-feed.query.ts';
import {
  type Entry,
  type FeedPositions,
  type Fence,
  isRecord,
  type Journal,
  JournalMismatch,
  type SnapshotProgress,
  type TransitionRecord,
} from '../job/ports.ts';
import { traceOf } from '../job/transition-trace.ts';
import { effectsOfKind, type phaseWrites } from './phase-writes.ts';

export interface LedgerParts {
  database: Database;
  journal: Journal;
  effects: Pick<ReturnType<typeof phaseWrites>, 'write'>;
  fence: Fence;
}

export interface Committed {
  /** Of each entry, in its place. */
  progress: readonly (SnapshotProgress | undefined)[];
  /** Where in the feed the transitions stand, if that is known. */
  positions: FeedPositions | null;
  /** What stands there right behind them. */
  updates: readonly SnapshotUpdate[];
}

/**
 * Transitions and what phases leave, in one transaction: an effect is there exactly if the journal tells of it. The
 * journal refuses whoever lost the claim, and the fence whoever has no transition among the entries.
 */
export function createLedger({ database, journal, effects, fence }: LedgerParts) {
  const write = async (entries: readonly Entry[], careful: boolean, on: Transaction): Promise<Committed> => {
    const records = entries.filter(isRecord);
    for (const { notes } of records) notes?.take(); // of an attempt that failed
    const completed = records.filter(({ job }) => job.status === 'completed');
    const written = await effects.write(
      entries,
      completed.map(({ claim }) => claim.symbol),
      on,
    );
    const withRecord = new Set(records.map(({ claim }) => claim));
    const others = entries.map(({ claim }) => claim).filter((claim) => !withRecord.has(claim));
    if (others.length > 0) await fence.check(others, { on });
    const members = effectsOfKind(entries, 'membership').map(({ claim }) => claim);
    // The journal's own statement lets those pass that have a transition here, but cannot tell why it would not.
    const entering = careful ? [] : members.filter((claim) => withRecord.has(claim));
    const fenced = members.filter((claim) => !entering.includes(claim));
    if (fenced.length > 0) await fence.passPointOfNoReturn(fenced, { on });
    const positions = await journal.commit(records.map(withNotes), { on, careful, entering });
    const updates = await written.announce();
    return { progress: entries.map((entry) => written.progress.get(entry)), positions, updates };
  };
  return {
    /** As a `Ledger` does. */
    async commit(entries: readonly Entry[]): Promise<Committed> {
      if (entries.some(({ effect }) => effect)) {
        const attempt = (careful: boolean) => database.transaction((on) => write(entries, careful, on));
        return attempt(false).catch((error) => {
          if (error instanceof JournalMismatch) return attempt(true);
          throw error;
        });
      }
      return { progress: [], positions: await journal.commit(entries.filter(isRecord)), updates: [] };
    },
  };
}

function withNotes(record: TransitionRecord): TransitionRecord {
  if (!record.notes) return record;
  return { ...record, trace: traceOf({ ...record.trace, ...record.notes.take() }) };
}
