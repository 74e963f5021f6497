import type { CreatedPortfolio, UploadAnswer, UploadInput } from '../contract/service.ts';
import type { Database, Transaction } from '../database/database.orm.ts';
import { lastNewYorkSession } from '../market/sessions.ts';
import type { Admission, Wanted } from '../onboarding/job/ports.ts';
import { neededSymbols } from '../portfolio/lots.ts';
import type { PortfolioStore } from '../portfolio/portfolio.store.ts';
import { quotedSymbols } from '../portfolio/rates-needed.ts';
import type { SnapshotStore } from '../portfolio/snapshot.store.ts';
import type { UniverseStore } from '../universe/universe.store.ts';
import { type Approved, type AssessmentPorts, assessUpload, remarkOf } from './assess-upload.ts';
import { marketRemarks } from './price-warnings.ts';
import { readUploadNeeds } from './read-needs.ts';
import { wantedBy } from './wanted-jobs.ts';

export interface UploadPorts extends AssessmentPorts {
  database: Database;
  universe: UniverseStore;
  portfolios: PortfolioStore;
  snapshots: SnapshotStore;
  admit(wanted: readonly Wanted[], options: { requestedBy: string; on: Transaction }): Promise<Admission>;
  /** Estimated seconds until a full queue has room. */
  retryAfterSeconds(): Promise<number>;
  newId(): string;
}

/** Runs in the transaction that saves the portfolio, before the commit; throws to roll it back. */
export type BeforeCommit = (created: CreatedPortfolio, on: Transaction) => Promise<void>;

/**
 * Saves a portfolio at once, with the data of its known symbols, and starts jobs for the others. All or nothing: a
 * refused upload saves neither rows nor jobs.
 */
export async function uploadPortfolio(
  ports: UploadPorts,
  input: UploadInput,
  beforeCommit: BeforeCommit = async () => {},
): Promise<UploadAnswer> {
  const assessed = await assessUpload(ports, input);
  if (assessed.kind !== 'approved') return assessed;
  const answer = await save(ports, input, { ...assessed, beforeCommit });
  if (answer.kind !== 'queue_full') return answer;
  return { ...answer, retry_after_seconds: await ports.retryAfterSeconds() };
}

type Saved = CreatedPortfolio | Exclude<Admission, { kind: 'admitted' }>;

// The upload protocol (lock order): universe rows, portfolio, admission, jobs, journal. The needs are read again under
// the locks, because jobs may have ended in between.
async function save(
  ports: UploadPorts,
  input: UploadInput,
  { lots, instruments, rates, warnings, beforeCommit }: Approved & { beforeCommit: BeforeCommit },
): Promise<Saved> {
  const { database, universe, portfolios, snapshots, admit, newId, clock } = ports;
  const { owner, name, baseCurrency } = input;
  const id = newId();
  const session = lastNewYorkSession(clock.now());
  const symbols = neededSymbols(lots);
  return database.transaction<Saved>(async (on, rollback) => {
    await universe.reserve([...new Set([...symbols, ...rates])], instruments, { on });
    const needs = await readUploadNeeds(ports, { lots, baseCurrency, instruments }, on);
    const wanted = wantedBy(needs);
    if (needs.shallow.length > 0) await universe.requestEarlierSplits(needs.shallow, { on });
    await portfolios.insert(
      { id, owner, name, baseCurrency, lots: lots.map((lot) => ({ ...lot, id: newId() })) },
      { on },
    );
    const expected = wanted.map(({ symbol }) => symbol);
    await snapshots.recompute([id], { causes: [], expected, session, on });
    // These warnings depend on the rows of the symbols.
    const quotes = await universe.quotes(quotedSymbols(lots), { on });
    const remarks = marketRemarks(lots, { quotes, baseCurrency }).map(remarkOf);
    const admission = await admit(wanted, { requestedBy: owner, on });
    if (admission.kind !== 'admitted') return rollback(admission);
    const pending = admission.jobs.map(({ symbol }) => symbol).sort();
    const created: CreatedPortfolio = {
      kind: 'created',
      portfolio_id: id,
      status: pending.length > 0 ? 'pending' : 'ready',
      pending_symbols: pending,
      warnings: [...warnings, ...remarks],
    };
    await beforeCommit(created, on);
    return created;
  });
}
