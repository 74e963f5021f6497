export interface MetricEntry {
  type: 'gauge' | 'counter' | 'histogram';
  /** Says the unit, and of whom it is true: this node, or the whole cluster. */
  help: string;
  labels?: readonly string[];
  /** Upper bounds, in seconds. */
  buckets?: readonly number[];
}

// From an answer of the cache to a request that is held as long as may be.
const requestBuckets = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 10, 30, 60];
// From a phase that writes two rows to a provider that is asked for minutes.
const workBuckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Every metric of ours, by its name: what `/metrics` serves and `docs/metrics.md` explains. */
export const metricCatalogue = {
  onboarding_build_info: {
    type: 'gauge',
    help: 'Always 1: the version and the name of this node.',
    labels: ['version', 'node'],
  },
  onboarding_database_up: {
    type: 'gauge',
    help: '1 if the database answered this scrape, else 0, and the figures of the cluster are missing.',
  },
  onboarding_depth: { type: 'gauge', help: 'Jobs admitted and not finished, in the cluster.' },
  onboarding_depth_limit: {
    type: 'gauge',
    help: 'Jobs that may be admitted and not finished, in the cluster.',
  },
  onboarding_jobs: {
    type: 'gauge',
    help: 'Jobs that are kept, by status, in the cluster.',
    labels: ['status'],
  },
  onboarding_paused: { type: 'gauge', help: '1 while an operator has paused the cluster, else 0.' },
  onboarding_accepting: {
    type: 'gauge',
    help: '1 while the supervisor of this node takes new work, else 0.',
  },
  onboarding_permits: { type: 'gauge', help: 'Permits of this node: jobs whose phase may run at once.' },
  onboarding_permits_in_use: { type: 'gauge', help: 'Permits of this node that a job holds now.' },
  onboarding_cluster_permits: {
    type: 'gauge',
    help: 'Permits of the cluster: jobs that all nodes may run at once. Missing where nothing bounds it.',
  },
  onboarding_cluster_permits_in_use: {
    type: 'gauge',
    help: 'Permits of the cluster that a job of any node holds now. Missing where nothing bounds it.',
  },
  onboarding_children: { type: 'gauge', help: 'Jobs that live as actors on this node.' },
  onboarding_feed_position: { type: 'gauge', help: 'Last position of the feed that this node has told.' },
  onboarding_feed_lag_seconds: {
    type: 'gauge',
    help: 'Seconds since this node had last read the feed to its end; it looks each second.',
  },
  onboarding_held_requests: {
    type: 'gauge',
    help: 'Requests that prefer to wait and are held by this node.',
  },
  onboarding_websocket_clients: { type: 'gauge', help: 'WebSocket clients of this node.' },
  onboarding_phase_duration_seconds: {
    type: 'histogram',
    help: 'Seconds that a phase ran on this node, by how it ended: completed, backing_off, failed or cancelled.',
    labels: ['phase', 'result'],
    buckets: workBuckets,
  },
  onboarding_jobs_finished_total: {
    type: 'counter',
    help: 'Jobs that this node has ended: completed with their outcome, failed with their error, cancelled.',
    labels: ['status', 'outcome', 'error_code'],
  },
  onboarding_retries_total: {
    type: 'counter',
    help: 'Times that a phase failed on this node and will be tried again.',
    labels: ['phase'],
  },
  onboarding_admission_refusals_total: {
    type: 'counter',
    help: 'Uploads, single symbols and retries that this node refused, by the reason.',
    labels: ['reason'],
  },
  onboarding_reconciler_findings_total: {
    type: 'counter',
    help: 'What the reconciler of this node found and mended, by kind: anything but 0 is a mistake of ours.',
    labels: ['kind'],
  },
  onboarding_provider_request_duration_seconds: {
    type: 'histogram',
    help: 'Seconds that calls to the market-data provider took, by the error code of the answer, or ok.',
    labels: ['provider', 'kind', 'result'],
    buckets: workBuckets,
  },
  onboarding_provider_fallbacks_total: {
    type: 'counter',
    help: 'Times that a job of this node passed over a provider for the next one, by the code of the failure.',
    labels: ['from', 'to', 'code'],
  },
  onboarding_provider_breaker: {
    type: 'gauge',
    help: '1 for the state that the breaker of this node is in, 0 for the others; missing where nothing outside is asked.',
    labels: ['state'],
  },
  onboarding_provider_requests: {
    type: 'gauge',
    help: 'Requests of this node to the provider: running, or waiting for the limiter.',
    labels: ['state'],
  },
  onboarding_http_request_duration_seconds: {
    type: 'histogram',
    help: 'Seconds until an answer was sent, the time that it was held included, by the pattern of its route.',
    labels: ['method', 'route', 'status'],
    buckets: requestBuckets,
  },
} as const satisfies Record<string, MetricEntry>;

export type MetricName = keyof typeof metricCatalogue;
export type MetricOf<Type extends MetricEntry['type']> = {
  [Name in MetricName]: (typeof metricCatalogue)[Name]['type'] extends Type ? Name : never;
}[MetricName];
