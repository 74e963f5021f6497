import { isUnfinished, type JobStatus, type Phase, phases } from '../../machines/protocol.ts';
import type { SymbolStatusView } from '../contract/schemas.ts';
import { whyNotApplicable } from '../factors/compute-exposures.ts';
import type { Quality } from '../factors/factor-catalog.ts';

/** Facts about a symbol from its universe row and its newest job. */
export interface SymbolFacts {
  /** Null unless the symbol is active and a job of it has completed. */
  readyAt: string | null;
  quality: Quality | null;
  qualityReason: string | null;
  jobId: string | null;
  jobStatus: JobStatus | null;
  phase: Phase | null;
  attempt: number | null;
  errorCode: string | null;
  errorMessage: string | null;
  /** Whether an operator has paused the cluster, so that no job starts. */
  paused: boolean;
}

const phaseLabels: Record<Phase, string> = {
  fetch: 'Loading prices',
  factors: 'Measuring factor exposures',
  universe: 'Entering the universe',
  snapshot: 'Updating portfolios',
  cache: 'Finishing',
};

const placeholderReasons: Record<string, string> = {
  too_few_observations: 'too few prices to measure them',
  constant_predictor: 'a factor proxy did not move',
  reference_unavailable: 'the factor proxies were not available',
  calculation_failed: 'they could not be calculated',
};

/**
 * The status of a symbol: SPEC section 2. A ready symbol stays ready during a refresh or a retry; the message mentions
 * it. The caller fills in `estimated_seconds`, which depends on the queue.
 */
export function statusIn(
  symbol: string,
  facts: SymbolFacts | null,
  { retryLimit }: { retryLimit: number },
): SymbolStatusView {
  const { status, message } = verdict(facts, retryLimit);
  const unfinished = facts !== null && facts.jobStatus !== null && isUnfinished(facts.jobStatus);
  const phase = unfinished ? facts.phase : null;
  const done = phase === null || facts?.jobStatus === 'pending' ? 0 : phases.indexOf(phase) / phases.length;
  return {
    symbol,
    status,
    message,
    estimated_seconds: null,
    phase,
    attempt: unfinished ? facts.attempt : null,
    progress: status === 'ready' && !unfinished ? 1 : done,
    quality: facts?.quality ?? null,
    ready_at: facts?.readyAt ?? null,
    job_id: facts?.jobId ?? null,
  };
}

function verdict(
  facts: SymbolFacts | null,
  retryLimit: number,
): Pick<SymbolStatusView, 'status' | 'message'> {
  if (facts?.readyAt) return { status: 'ready', message: readyMessage(facts) };
  switch (facts?.jobStatus) {
    case 'pending':
      return { status: 'pending', message: facts.paused ? pausedMessage : 'Queued for processing' };
    case 'processing':
      return { status: 'processing', message: processingMessage(facts, retryLimit) };
    case 'failed':
      return { status: 'error', message: failedMessage(facts) };
    case 'cancelled':
      return { status: 'error', message: `The onboarding was cancelled. ${retryHint}` };
    default:
      return { status: 'unknown', message: 'Symbol not found' };
  }
}

const pausedMessage = 'Queued for processing; onboarding is paused';

function processingMessage({ phase, attempt }: SymbolFacts, retryLimit: number): string {
  const what = phase ? phaseLabels[phase] : 'Working';
  return attempt !== null && attempt > 1 ? `${what} (attempt ${attempt} of ${retryLimit + 1})` : `${what}...`;
}

const deferralReasons: Record<string, string> = {
  provider_throttled: 'the price provider kept throttling requests',
  provider_paused: 'the price provider kept failing',
  provider_busy: 'the request queue of the price provider stayed full',
};

const retryHint = 'Upload it again to try once more.';

function failedMessage({ phase, attempt, errorCode, errorMessage }: SymbolFacts): string {
  const where = phase ? ` while ${phaseLabels[phase].toLowerCase()}` : '';
  const tries = attempt !== null && attempt > 1 ? `, after ${attempt} attempts` : '';
  // The provider's last message names an instant that has passed.
  const why = deferralReasons[errorCode ?? ''] ?? errorMessage;
  return `Onboarding failed${where}${tries}: ${why ?? 'unknown reason'}. ${retryHint}`;
}

function readyMessage({ quality, qualityReason, jobStatus, errorCode, errorMessage }: SymbolFacts): string {
  const notes: string[] = [];
  if (quality === 'default') {
    const why = placeholderReasons[qualityReason ?? ''] ?? 'they could not be measured';
    notes.push(`some factor exposures are placeholders: ${why}`);
  }
  if (quality === 'not_applicable') notes.push(whyNotApplicable(qualityReason));
  if (quality === 'limited_history') notes.push('factor exposures rest on a short history');
  if (jobStatus !== null && isUnfinished(jobStatus)) notes.push('an update is under way');
  if (jobStatus === 'failed') {
    notes.push(errorCode === 'delisted' && errorMessage ? errorMessage : 'the last update failed');
  }
  return ['Symbol data available', ...notes].join('; ');
}
