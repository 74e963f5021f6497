import type { FeedEntry } from '../contract/feed.ts';
import type { Service } from '../contract/service.ts';
import { type LoopName, loops } from '../kernel/loop-health.ts';
import type { ProviderFallback } from '../market/provider-calls.ts';
import type { ProviderCall } from '../market/request-counts.ts';
import type { TransitionRecord } from '../onboarding/job/ports.ts';
import type { Metrics } from './registry.metrics.ts';

type Observer = Pick<Metrics, 'count' | 'observe'>;

const results: Record<string, string> = { failed: 'failed', cancelled: 'cancelled' };

/** Counts the rounds of the node's loops that fail; from the start on the text shows that none has. */
export function countLoopFailures({ count }: Observer): (loop: LoopName) => void {
  for (const loop of Object.keys(loops)) count('onboarding_loop_failures_total', { loop }, 0);
  return (loop) => count('onboarding_loop_failures_total', { loop });
}

/** A transition that this node has committed: the end of a phase, a retry, the end of a job with its outcome. */
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
 * A transition that the feed tells: failures and cancellations of this node, those included that a claim ended before
 * there was an actor. The feed does not know outcomes, so completed jobs are counted at their commit.
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

/** A provider that a job passed over for the next one. */
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

/** The same service, whose refusals, and whose cancellations of jobs that nobody had begun, are counted. */
export function observed(service: Service, { count }: Observer): Service {
  const { portfolios, symbols, operations } = service;
  const told = <Answer extends { kind: string }>(answer: Answer): Answer => {
    if (refusals.has(answer.kind)) count('onboarding_admission_refusals_total', { reason: answer.kind });
    return answer;
  };
  return {
    ...service,
    portfolios: { ...portfolios, upload: async (...asked) => told(await portfolios.upload(...asked)) },
    symbols: { ...symbols, onboard: async (symbol, viewer) => told(await symbols.onboard(symbol, viewer)) },
    operations: {
      ...operations,
      retry: async (id) => told(await operations.retry(id)),
      async cancel(id) {
        const answer = await operations.cancel(id);
        if (answer.kind === 'cancelled') ended(count, { status: 'cancelled' });
        return answer;
      },
    },
  };
}
