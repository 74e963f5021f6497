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
  /** One element per entry, in the same order. */
  progress: readonly (SnapshotProgress | undefined)[];
  /** Feed positions of the transitions; null when unknown. */
  positions: FeedPositions | null;
  /** Snapshot updates at the feed positions right after the transitions. */
  updates: readonly SnapshotUpdate[];
}

/**
 * Commits transitions and phase effects in one transaction, so an effect is stored if and only if its journal row is.
 * The journal statement checks the fencing token of each claim that has a transition in the batch. `Fence` checks the
 * claims that have only an effect.
 */
export function createLedger({ database, journal, effects, fence }: LedgerParts) {
  const write = async (entries: readonly Entry[], careful: boolean, on: Transaction): Promise<Committed> => {
    const records = entries.filter(isRecord);
    for (const { notes } of records) notes?.take(); // drop what a failed attempt noted
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
    // The quick journal statement checks claims that have a transition here, but cannot say why it refuses one. The
    // careful attempt therefore uses the fence, which can.
    const entering = careful ? [] : members.filter((claim) => withRecord.has(claim));
    const fenced = members.filter((claim) => !entering.includes(claim));
    if (fenced.length > 0) await fence.passPointOfNoReturn(fenced, { on });
    const positions = await journal.commit(records.map(withNotes), { on, careful, entering });
    const updates = await written.announce();
    return { progress: entries.map((entry) => written.progress.get(entry)), positions, updates };
  };
  return {
    /** See `Ledger.commit`. */
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
