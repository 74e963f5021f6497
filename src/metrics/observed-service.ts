import type { FeedEntry } from '../contract/feed.ts';
import type { Service } from '../contract/service.ts';
import { type LoopName, loops } from '../kernel/loop-health.ts';
import type { ProviderFallback } from '../market/provider-calls.ts';
import type { ProviderCall } from '../market/request-counts.ts';
import type { TransitionRecord } from '../onboarding/job/ports.ts';
import type { Metrics } from './registry.metrics.ts';

type Observer = Pick<Metrics, 'count' | 'observe'>;

const results: Record<string, string> = { failed: 'failed', cancelled: 'cancelled' };

/** Counts the failed rounds of the node's loops; each loop starts at 0. */
export function countLoopFailures({ count }: Observer): (loop: LoopName) => void {
  for (const loop of Object.keys(loops)) count('onboarding_loop_failures_total', { loop }, 0);
  return (loop) => count('onboarding_loop_failures_total', { loop });
}

/** Counts a transition that this node committed: the end of a phase, a retry, or a completed job with its outcome. */
export function observeCommit({ count, observe }: Observer, record: TransitionRecord): void {
  const { from, to, durationMs, job } = record;
  const [, phase = '', step] = from.split('.');
  const backsOff = to.endsWith('.backingOff');
  if (step === 'running') {
    const result = results[to] ?? (backsOff ? 'backing_off' : 'completed');
    observe('onboarding_phase_duration_seconds', { phase, result }, durationMs / 1000);
  }
  if (backsOff) count('onboarding_retries_total', { phase: job.phase });
  if (to === 'completed') ended(count, { status: 'completed', outcome: job.outcome ?? 'complete' });
}

/**
 * Counts failed and cancelled jobs of this node from the feed, including those that ended during the claim, before they
 * had an actor. The feed has no outcomes, so completed jobs are counted at their commit.
 */
export function observeFeed({ count }: Observer, node: string, entry: FeedEntry): void {
  if (entry.type !== 'transition' || entry.node !== node) return;
  const { to, error } = entry;
  if (to === 'failed') ended(count, { status: 'failed', error_code: error?.code ?? 'unknown' });
  if (to === 'cancelled') ended(count, { status: 'cancelled' });
}

function ended(
  count: Metrics['count'],
  labels: { status: string; outcome?: string; error_code?: string },
): void {
  count('onboarding_jobs_finished_total', { outcome: '', error_code: '', ...labels });
}

export function observeCall(
  { observe }: Observer,
  provider: string,
  { kind, result, seconds }: ProviderCall,
): void {
  observe('onboarding_provider_request_duration_seconds', { provider, kind, result }, seconds);
}

/** Counts fallbacks from a failed provider to the next one. */
export function observeFallback({ count }: Pick<Observer, 'count'>) {
  return ({ from, to, code }: ProviderFallback): void =>
    count('onboarding_provider_fallbacks_total', { from, to, code });
}

const refusals: ReadonlySet<string> = new Set([
  'queue_full',
  'too_many_symbols',
  'invalid_symbols',
  'unverifiable',
  'rejected_rows',
]);

/** Wraps a service to count its refusals, and its cancellations of jobs that had not started. */
export function observed(service: Service, { count }: Observer): Service {
  const { portfolios, symbols, operations } = service;
  const counted = <Answer extends { kind: string }>(answer: Answer): Answer => {
    if (refusals.has(answer.kind)) count('onboarding_admission_refusals_total', { reason: answer.kind });
    return answer;
  };
  return {
    ...service,
    portfolios: { ...portfolios, upload: async (...asked) => counted(await portfolios.upload(...asked)) },
    symbols: {
      ...symbols,
      onboard: async (symbol, viewer) => counted(await symbols.onboard(symbol, viewer)),
    },
    operations: {
      ...operations,
      retry: async (id) => counted(await operations.retry(id)),
      async cancel(id) {
        const answer = await operations.cancel(id);
        if (answer.kind === 'cancelled') ended(count, { status: 'cancelled' });
        return answer;
      },
    },
  };
}
