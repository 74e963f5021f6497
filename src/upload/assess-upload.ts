import type { RowProblem } from '../contract/row-problems.ts';
import type { Remark } from '../contract/schemas.ts';
import type { UploadInput, UploadRefusal } from '../contract/service.ts';
import { parsePortfolioCsv } from '../import/portfolio-csv.ts';
import { type PortfolioReading, validatePositions } from '../import/validate-positions.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Instrument } from '../market/provider.ts';
import type { Verify } from '../market/remembered-verdicts.ts';
import { localDate } from '../market/sessions.ts';
import type { Lot } from '../portfolio/lots.ts';
import { ratesNeeded } from '../portfolio/rates-needed.ts';
import { deferredWarnings } from './deferred-verification.ts';
import type { Detection } from './detect-needs.ts';
import { type NeedsPorts, readUploadNeeds } from './read-needs.ts';
import { refusalOf } from './unverifiable.ts';

export interface AssessmentPorts extends NeedsPorts {
  verify: Verify;
  clock: Clock;
  unverifiable: 'reject' | 'defer';
  depthMax: number;
}

/** The result of all checks that need no lock: lots whose symbols all exist. */
export interface Approved {
  kind: 'approved';
  lots: readonly Lot[];
  /** The provider's data of the symbols that it was asked about. */
  instruments: readonly Instrument[];
  /** The exchange-rate series needed to convert the lots, ascending. */
  rates: string[];
  warnings: Remark[];
}

/** Reads an upload and verifies its new symbols. Writes nothing and takes no lock. */
export async function assessUpload(
  ports: AssessmentPorts,
  input: UploadInput,
): Promise<Approved | UploadRefusal> {
  const reading = readPositions(ports, input);
  const warnings = reading.warnings.map(remarkOf);
  if (reading.problems) return { kind: 'rejected_rows', problems: reading.problems.map(remarkOf), warnings };

  const { lots } = reading;
  const { baseCurrency } = input;
  const { currencies, ...detection } = await readUploadNeeds(ports, { lots, baseCurrency });
  const required = detection.needed.filter(({ reason }) => reason === 'upload').length;
  if (required > ports.depthMax) return { kind: 'too_many_symbols', needed: required, limit: ports.depthMax };

  const verdicts = await ports.verify(unverified(detection), { since: heldSince(lots) });
  const refusal = refusalOf(verdicts, { now: ports.clock.now(), unverifiable: ports.unverifiable });
  if (refusal) return refusal;

  const instruments = verdicts.flatMap((verdict) =>
    verdict.verdict === 'valid' && verdict.instrument ? [verdict.instrument] : [],
  );
  warnings.push(...deferredWarnings(lots, verdicts).map(remarkOf));
  const quoted = instruments.map(({ symbol, currency }) => [symbol, currency] as const);
  const rates = ratesNeeded(lots, { baseCurrency, currencies: new Map([...quoted, ...currencies]) });
  return { kind: 'approved', lots, instruments, rates: [...rates.keys()].sort(), warnings };
}

function readPositions({ clock }: AssessmentPorts, input: UploadInput): PortfolioReading {
  const { source, baseCurrency, allowDuplicates } = input;
  const options = { today: localDate(clock.now(), 'UTC'), baseCurrency, allowDuplicates };
  return source.kind === 'csv'
    ? parsePortfolioCsv(source.bytes, options)
    : validatePositions(source.positions, options);
}

/** The first entry date of each symbol: the splits since then are needed. */
function heldSince(lots: readonly Lot[]): Map<string, string> {
  const since = new Map<string, string>();
  for (const { needs, entryDate } of lots) {
    if (needs === null) continue;
    const first = since.get(needs);
    if (first === undefined || entryDate < first) since.set(needs, entryDate);
  }
  return since;
}

// Active symbols exist, and symbols that are being onboarded were verified at their first upload. A missing rate leaves
// lots without a rate, but does not make a symbol invalid.
function unverified({ needed, unpriced, rates }: Detection): string[] {
  const inactive = new Set(unpriced);
  for (const symbol of rates) inactive.delete(symbol);
  return needed.map(({ symbol }) => symbol).filter((symbol) => inactive.has(symbol));
}

export const remarkOf = ({ line, column, value, code, message }: RowProblem): Remark => ({
  code,
  message,
  row: line,
  column,
  value,
});
