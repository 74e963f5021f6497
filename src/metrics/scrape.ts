import manifest from '../../package.json' with { type: 'json' };
import type { Config } from '../config/config.ts';
import type { Service } from '../contract/service.ts';
import type { Clock } from '../kernel/clock.ts';
import type { LoopHealths } from '../kernel/loop-health.ts';
import type { Gate } from '../market/provider-gate.client.ts';
import type { CeilingStore } from '../onboarding/claims/cluster-ceiling.store.ts';
import type { TransitionFeed } from '../onboarding/feed/transition.feed.ts';
import type { Totals } from '../onboarding/queries/job-counts.query.ts';
import type { RunningOnboarding } from '../onboarding/start-onboarding.ts';
import type { MetricOf } from './metric-catalog.ts';
import type { Metrics } from './registry.metrics.ts';

export interface GaugeParts {
  config: Config;
  nodeName: string;
  clock: Clock;
  totals: () => Promise<Totals>;
  ceiling: Pick<CeilingStore, 'inUse'> | null;
  feed: TransitionFeed;
  loops: LoopHealths;
  supervisor: () => ReturnType<RunningOnboarding['snapshot']>;
  gate: Gate | null;
}

const databaseMaxMs = 2000; // Prometheus allows ten seconds by default; a scrape must report an outage, not time out

type LiveFigures = Parameters<Service['measurements']['read']>[0];

/** The measurements that the HTTP server reports and reads. */
export function measurementsOf(metrics: Metrics, parts: GaugeParts): Service['measurements'] {
  return {
    contentType: metrics.contentType,
    read: (live) => scrape(metrics, parts, live),
    answered: ({ method, route, status, seconds }) =>
      metrics.observe(
        'onboarding_http_request_duration_seconds',
        { method, route, status: String(status) },
        seconds,
      ),
  };
}

/** The text of a scrape. Gauges are read now; those of the cluster take two queries and are missing if these fail. */
async function scrape(metrics: Metrics, parts: GaugeParts, live: LiveFigures): Promise<string> {
  const { config, nodeName, clock, feed, supervisor } = parts;
  const { value, context } = supervisor();
  const { position, caughtUpAt } = feed.status();
  const own: Partial<Record<MetricOf<'gauge'>, number>> = {
    onboarding_depth_limit: config.supervisor.depth,
    onboarding_accepting: value === 'accepting' ? 1 : 0,
    onboarding_permits: config.supervisor.concurrency,
    onboarding_permits_in_use: context.permits.length,
    onboarding_children: context.children.length,
    onboarding_feed_position: position,
    onboarding_held_requests: live.heldRequests,
    onboarding_websocket_clients: live.websocketClients,
    onboarding_feed_lag_seconds: Math.max(0, clock.now() - caughtUpAt) / 1000,
  };
  for (const [name, figure] of Object.entries(own)) metrics.set(name as MetricOf<'gauge'>, figure);
  for (const [loop, { failure }] of Object.entries(parts.loops)) {
    metrics.set('onboarding_loop_failing_seconds', failure()?.seconds ?? 0, { loop });
  }
  if (parts.gate) setGate(metrics, parts.gate);
  metrics.set('onboarding_build_info', 1, { version: manifest.version, node: nodeName });
  const [totals, clusterPermits] = await Promise.all([
    withTimeout(parts, parts.totals()),
    withTimeout(parts, parts.ceiling?.inUse() ?? Promise.resolve(null)),
  ]);
  metrics.set('onboarding_database_up', totals === null ? 0 : 1);
  metrics.set('onboarding_cluster_permits', config.supervisor.clusterConcurrency);
  metrics.set('onboarding_cluster_permits_in_use', clusterPermits);
  metrics.set('onboarding_depth', totals?.depth ?? null);
  metrics.set('onboarding_paused', totals && Number(totals.paused));
  for (const status of ['pending', 'processing', 'completed', 'failed', 'cancelled'] as const) {
    metrics.set('onboarding_jobs', totals?.counts[status] ?? null, { status });
  }
  return metrics.text();
}

function setGate(metrics: Metrics, gate: Gate): void {
  const { breaker, limiter } = gate.view();
  for (const state of ['closed', 'open', 'half_open'] as const) {
    metrics.set('onboarding_provider_breaker', Number(state === breaker.state), { state });
  }
  for (const state of ['running', 'waiting'] as const) {
    metrics.set('onboarding_provider_requests', limiter[state], { state });
  }
}

/** The result of a query, or null if the database fails or does not answer in time. */
async function withTimeout<Figures>(
  { clock }: GaugeParts,
  query: Promise<Figures>,
): Promise<Awaited<Figures> | null> {
  const timer = new AbortController();
  const timeout = clock.sleepUntil(clock.now() + databaseMaxMs, timer.signal).then(
    () => null,
    () => null,
  );
  const found = await Promise.race([query.catch(() => null), timeout]);
  timer.abort();
  return found;
}
