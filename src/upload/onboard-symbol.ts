import type { OnboardAnswer } from '../contract/service.ts';
import type { Database, Transaction } from '../database/database.orm.ts';
import type { Clock } from '../kernel/clock.ts';
import { normaliseSymbol } from '../market/normalise-symbol.ts';
import type { Verdict } from '../market/provider.ts';
import type { Verify } from '../market/remembered-verdicts.ts';
import type { Admission, Wanted } from '../onboarding/job/ports.ts';
import type { UniverseStore } from '../universe/universe.store.ts';
import { readNeeds } from './read-needs.ts';
import { refusalOf } from './unverifiable.ts';

export interface OnboardPorts {
  database: Database;
  universe: UniverseStore;
  admit(wanted: readonly Wanted[], options: { requestedBy: string; on: Transaction }): Promise<Admission>;
  verify: Verify;
  /** Estimated seconds until a full queue has room. */
  retryAfterSeconds(): Promise<number>;
  clock: Clock;
  unverifiable: 'reject' | 'defer';
  priceMaxAgeDays: number;
}

/** The view of the symbol is read after this result is committed. */
type Onboarded =
  | { kind: 'ready'; symbol: string }
  | { kind: 'admitted'; symbol: string; job_id: string }
  | Exclude<OnboardAnswer, { kind: 'ready' } | { kind: 'admitted' }>;

/**
 * Onboards one symbol without a portfolio. A ready and fresh symbol needs no job, an unfinished job is joined, and every
 * other symbol gets a job. Stale symbols too, because the user asked for exactly this symbol.
 */
export async function onboardSymbol(
  ports: OnboardPorts,
  { raw, requestedBy }: { raw: string; requestedBy: string },
): Promise<Onboarded> {
  const { symbol, problem } = normaliseSymbol(raw);
  if (symbol === null) {
    return { kind: 'invalid_symbols', symbols: [{ symbol: raw, reason: problem.message }] };
  }
  const { settled, joining, unpriced } = await readNeeds(ports, [{ needs: symbol }]);
  if (settled.length > 0) return { kind: 'ready', symbol };
  // Active symbols exist, and symbols that are being onboarded were verified before.
  const verdicts = joining.length > 0 || unpriced.length === 0 ? [] : await ports.verify([symbol]);
  const refusal = refusalOf(verdicts, { now: ports.clock.now(), unverifiable: ports.unverifiable });
  if (refusal) return refusal;
  const answer = await admitOne(ports, { symbol, verdicts, requestedBy });
  if (answer.kind !== 'queue_full') return answer;
  return { ...answer, retry_after_seconds: await ports.retryAfterSeconds() };
}

// The upload protocol: universe row, admission, job, journal. The needs are read again under the lock, because the job
// of the symbol may have ended in between.
async function admitOne(
  ports: OnboardPorts,
  wanted: { symbol: string; verdicts: readonly Verdict[]; requestedBy: string },
): Promise<Onboarded | Exclude<Admission, { kind: 'admitted' }>> {
  const { database, universe, admit } = ports;
  const { symbol, verdicts, requestedBy } = wanted;
  const instruments = verdicts.flatMap((one) =>
    one.verdict === 'valid' && one.instrument ? [one.instrument] : [],
  );
  return database.transaction<Onboarded | Exclude<Admission, { kind: 'admitted' }>>(async (on, rollback) => {
    await universe.reserve([symbol], instruments, { on });
    const { settled } = await readNeeds(ports, [{ needs: symbol }], on);
    if (settled.length > 0) return { kind: 'ready', symbol };
    const admission = await admit([{ symbol, reason: 'manual' }], { requestedBy, on });
    if (admission.kind !== 'admitted') return rollback(admission);
    return { kind: 'admitted', symbol, job_id: admission.jobs[0]!.jobId };
  });
}
