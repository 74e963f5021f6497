export interface MetricEntry {
  type: 'gauge' | 'counter' | 'histogram';
  /** States the unit and the scope: this node, or the whole cluster. */
  help: string;
  labels?: readonly string[];
  /** Upper bounds, in seconds. */
  buckets?: readonly number[];
}

// From a response from the cache to a request that is held for the maximum time.
const requestBuckets = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 10, 30, 60];
// From a phase that writes two rows to a provider call that takes minutes.
const workBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** All our metrics by name. `/metrics` serves them and `docs/metrics.md` explains them. */
export const metricCatalog = {
  onboarding_build_info: {
    type: 'gauge',
    help: 'Always 1. The labels have the version and the name of this node.',
    labels: ['version', 'node'],
  },
  onboarding_database_up: {
    type: 'gauge',
    help: '1 if the database answered this scrape. Otherwise 0, and the figures of the cluster are missing.',
  },
  onboarding_depth: { type: 'gauge', help: 'Unfinished jobs in the cluster.' },
  onboarding_depth_limit: {
    type: 'gauge',
    help: 'Maximum of unfinished jobs in the cluster.',
  },
  onboarding_jobs: {
    type: 'gauge',
    help: 'Jobs that are kept, by status, in the cluster.',
    labels: ['status'],
  },
  onboarding_paused: { type: 'gauge', help: '1 while an operator has paused the cluster, else 0.' },
  onboarding_accepting: {
    type: 'gauge',
    help: '1 while the supervisor of this node accepts new work, else 0.',
  },
  onboarding_permits: { type: 'gauge', help: 'Permits of this node: maximum of phases that run at once.' },
  onboarding_permits_in_use: { type: 'gauge', help: 'Permits of this node in use by jobs.' },
  onboarding_cluster_permits: {
    type: 'gauge',
    help: 'Permits of the cluster: maximum of phases that all nodes run at once. Missing without a limit.',
  },
  onboarding_cluster_permits_in_use: {
    type: 'gauge',
    help: 'Permits of the cluster in use by jobs of any node. Missing without a limit.',
  },
  onboarding_children: { type: 'gauge', help: 'Jobs that run as actors on this node.' },
  onboarding_feed_position: { type: 'gauge', help: 'Last feed position that this node has published.' },
  onboarding_feed_lag_seconds: {
    type: 'gauge',
    help: 'Seconds since this node last read the feed to its end, which it does every second.',
  },
  onboarding_loop_failing_seconds: {
    type: 'gauge',
    help: 'Seconds for which each round of a loop of this node has failed: claims, requests, permits, leases; else 0.',
    labels: ['loop'],
  },
  onboarding_loop_failures_total: {
    type: 'counter',
    help: 'Rounds of a loop of this node that failed.',
    labels: ['loop'],
  },
  onboarding_held_requests: {
    type: 'gauge',
    help: 'Long-polling requests (Prefer: wait) that this node holds open.',
  },
  onboarding_websocket_clients: { type: 'gauge', help: 'WebSocket clients of this node.' },
  onboarding_phase_duration_seconds: {
    type: 'histogram',
    help: 'Seconds that a phase ran on this node, by its result: completed, backing_off, failed or cancelled.',
    labels: ['phase', 'result'],
    buckets: workBuckets,
  },
  onboarding_jobs_finished_total: {
    type: 'counter',
    help: 'Jobs finished by this node: completed by outcome, failed by error, cancelled.',
    labels: ['status', 'outcome', 'error_code'],
  },
  onboarding_retries_total: {
    type: 'counter',
    help: 'Failed phases on this node that will be retried.',
    labels: ['phase'],
  },
  onboarding_admission_refusals_total: {
    type: 'counter',
    help: 'Uploads, single symbols and retries that this node refused, by reason.',
    labels: ['reason'],
  },
  onboarding_reconciler_findings_total: {
    type: 'counter',
    help: 'Inconsistencies that the reconciler of this node found and fixed, by kind. Anything but 0 is a bug.',
    labels: ['kind'],
  },
  onboarding_provider_request_duration_seconds: {
    type: 'histogram',
    help: 'Seconds that calls to the market-data provider took, by result: ok or an error code.',
    labels: ['provider', 'kind', 'result'],
    buckets: workBuckets,
  },
  onboarding_provider_fallbacks_total: {
    type: 'counter',
    help: 'Fallbacks from a failed provider to the next one in jobs of this node, by error code.',
    labels: ['from', 'to', 'code'],
  },
  onboarding_provider_breaker: {
    type: 'gauge',
    help: '1 for the current state of the circuit breaker of this node, 0 for the others. Missing without an external provider.',
    labels: ['state'],
  },
  onboarding_provider_requests: {
    type: 'gauge',
    help: 'Requests of this node to the provider, running or waiting for the limiter.',
    labels: ['state'],
  },
  onboarding_http_request_duration_seconds: {
    type: 'histogram',
    help: 'Seconds until the response was sent, including the time a request was held, by route pattern.',
    labels: ['method', 'route', 'status'],
    buckets: requestBuckets,
  },
} as const satisfies Record<string, MetricEntry>;

export type MetricName = keyof typeof metricCatalog;
export type MetricOf<Type extends MetricEntry['type']> = {
  [Name in MetricName]: (typeof metricCatalog)[Name]['type'] extends Type ? Name : never;
}[MetricName];
