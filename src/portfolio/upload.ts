import type { Remark } from '../api/schemas.ts';
import type { UploadAnswer, UploadInput } from '../api/service.ts';
import type { Clock } from '../clock.ts';
import type { Database, Transaction } from '../database.ts';
import type { Instrument, Verdict } from '../market/provider.ts';
import { refusalOf } from '../market/refusal.ts';
import { lastNewYorkSession, localDate } from '../market/sessions.ts';
import type { Admission, Wanted } from '../onboarding/ports.ts';
import { readNeeds } from '../universe/needs.ts';
import type { UniverseStore } from '../universe/universe.store.ts';
import { parsePortfolioCsv } from './csv.ts';
import type { Detection } from './detection.ts';
import { type Lot, neededSymbols } from './lots.ts';
import { minorUnitWarning } from './minor-unit.ts';
import type { PortfolioStore } from './portfolio.store.ts';
import type { Problem } from './problems.ts';
import type { SnapshotStore } from './snapshot.store.ts';
import { foreignWarning, type PortfolioReading, validatePositions } from './validation.ts';

export interface UploadPorts {
  database: Database;
  universe: UniverseStore;
  portfolios: PortfolioStore;
  snapshots: SnapshotStore;
  admit(wanted: readonly Wanted[], options: { requestedBy: string; on: Transaction }): Promise<Admission>;
  /** Verdicts on symbols; an outage is one too, never an exception. */
  verify(symbols: readonly string[]): Promise<Verdict[]>;
  /** Seconds until a full queue is likely to have room. */
  retryAfterSeconds(): Promise<number>;
  newId(): string;
  clock: Clock;
  depthMax: number;
  priceMaxAgeDays: number;
}

/**
 * Saves a portfolio at once, with everything that is known of its symbols, and has the others onboarded. All or
 * nothing: a refusal leaves neither a row nor a job behind.
 */
export async function uploadPortfolio(ports: UploadPorts, input: UploadInput): Promise<UploadAnswer> {
  const reading = readPositions(ports, input);
  const warnings = reading.warnings.map(remarkOf);
  if (reading.problems) return { kind: 'rejected_rows', problems: reading.problems.map(remarkOf), warnings };

  const { lots } = reading;
  const detection = await readNeeds(ports, lots);
  const required = detection.needed.filter(({ reason }) => reason === 'upload').length;
  if (required > ports.depthMax) return { kind: 'too_many_symbols', needed: required, limit: ports.depthMax };

  const verdicts = await ports.verify(unverified(detection));
  const refusal = refusalOf(verdicts, ports.clock.now());
  if (refusal) return refusal;

  const instruments = verdicts.flatMap((verdict) =>
    verdict.verdict === 'valid' ? [verdict.instrument] : [],
  );
  return save(ports, input, { lots, instruments, warnings });
}

function readPositions({ clock }: UploadPorts, input: UploadInput): PortfolioReading {
  const { source, baseCurrency, allowDuplicates } = input;
  const options = { today: localDate(clock.now(), 'UTC'), baseCurrency, allowDuplicates };
  return source.kind === 'csv'
    ? parsePortfolioCsv(source.bytes, options)
    : validatePositions(source.positions, options);
}

// What is active exists, and what is being onboarded was verified by whoever needed it first.
function unverified({ needed, unpriced }: Detection): string[] {
  const inactive = new Set(unpriced);
  return needed.map(({ symbol }) => symbol).filter((symbol) => inactive.has(symbol));
}

interface Approved {
  lots: readonly Lot[];
  instruments: readonly Instrument[];
  warnings: Remark[];
}

// The upload protocol: universe rows, portfolio, admission, jobs, journal, always in this order. What was detected
// before is read again under the locks: a symbol may have completed, or failed, in between.
async function save(ports: UploadPorts, input: UploadInput, approved: Approved): Promise<UploadAnswer> {
  const { database, universe, portfolios, snapshots, admit, newId, clock } = ports;
  const { lots, instruments, warnings } = approved;
  const id = newId();
  const session = lastNewYorkSession(clock.now());
  const answer = await database.transaction<UploadAnswer | Admission>(async (on, rollback) => {
    await universe.reserve(neededSymbols(lots), instruments, { on });
    const { needed, joining, unpriced } = await readNeeds(ports, lots, on);
    const expected = [...needed, ...joining].map(({ symbol }) => symbol);
    const { owner, name, baseCurrency } = input;
    await portfolios.insert(
      { id, owner, name, baseCurrency, lots: lots.map((lot) => ({ ...lot, id: newId() })) },
      { on },
    );
    await snapshots.recompute([id], { cause: null, expected, session, on });
    const remarks = await remarksOn(ports, { id, baseCurrency }, on);
    const wanted = [
      ...needed,
      ...joining.map(({ symbol }) => ({ symbol, reason: reasonToJoin(symbol, unpriced) })),
    ];
    const admission = await admit(wanted, { requestedBy: owner, on });
    if (admission.kind !== 'admitted') return rollback(admission);
    const pending = admission.jobs.map(({ symbol }) => symbol).sort();
    const status = pending.length > 0 ? 'pending' : 'ready';
    return {
      kind: 'created',
      portfolio_id: id,
      status,
      pending_symbols: pending,
      warnings: [...warnings, ...remarks],
    };
  });
  if (answer.kind === 'queue_full')
    return { ...answer, retry_after_seconds: await ports.retryAfterSeconds() };
  return answer as UploadAnswer;
}

// What can only be said once the symbols are known.
async function remarksOn(
  { portfolios }: UploadPorts,
  { id, baseCurrency }: { id: string; baseCurrency: string },
  on: Transaction,
): Promise<Remark[]> {
  const foreign = (await portfolios.foreignLots(id, { on })).map((lots) =>
    foreignWarning(lots, baseCurrency),
  );
  const dear = (await portfolios.dearLots(id, { on })).flatMap(
    (lot) => minorUnitWarning({ ...lot, quoteUnit: null }, lot) ?? [],
  );
  return [...foreign, ...dear].map(remarkOf);
}

// Should the job that is joined end before the admission lock is ours: what is priced already needs no new one.
const reasonToJoin = (symbol: string, unpriced: readonly string[]) =>
  unpriced.includes(symbol) ? ('upload' as const) : ('refresh' as const);

const remarkOf = ({ line, column, value, code, message }: Problem): Remark => ({
  code,
  message,
  row: line,
  column,
  value,
});
