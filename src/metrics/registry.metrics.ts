import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client';
import { histogram } from './histogram.ts';
import { type MetricEntry, type MetricName, type MetricOf, metricCatalog } from './metric-catalog.ts';

type Labels = Record<string, string>;

/** The counters and histograms of one app, and its gauges, which are set at each scrape. */
export interface Metrics {
  /** Adds one, or `by`. Adding 0 makes a counter appear in the text before its first event. */
  count(name: MetricOf<'counter'>, labels: Labels, by?: number): void;
  observe(name: MetricOf<'histogram'>, labels: Labels, seconds: number): void;
  /** Sets a gauge. Null removes it from the text. */
  set(name: MetricOf<'gauge'>, value: number | null, labels?: Labels): void;
  /** The Prometheus text format: our metrics, then those of the process. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** Creates a separate registry: two apps in one process, as in tests, share only the metrics of the process. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const made = new Map<string, Gauge | Counter | ReturnType<typeof histogram>>();
  for (const name of Object.keys(metricCatalog) as MetricName[]) {
    const { type, help, labels = [], buckets = [] }: MetricEntry = metricCatalog[name];
    if (type === 'histogram') {
      const own = histogram({ name, help, labelNames: labels, buckets });
      registry.registerMetric(own as unknown as Metric);
      made.set(name, own);
      continue;
    }
    const options = { name, help, labelNames: [...labels], registers: [registry] };
    made.set(name, type === 'counter' ? new Counter(options) : new Gauge(options));
  }
  return {
    count: (name, labels, by = 1) => (made.get(name) as Counter).inc(labels, by),
    observe: (name, labels, seconds) =>
      (made.get(name) as ReturnType<typeof histogram>).observe(labels, seconds),
    set(name, value, labels = {}) {
      const gauge = made.get(name) as Gauge;
      if (value === null) gauge.remove(labels);
      else gauge.set(labels, value);
    },
    text: async () => (await registry.metrics()) + (await ofProcess().metrics()),
    contentType: registry.contentType,
  };
}

let shared: Registry | undefined;

// Observers of the garbage collector and the event loop cannot be removed, so all apps share one set.
function ofProcess(): Registry {
  if (!shared) {
    shared = new Registry();
    collectDefaultMetrics({ register: shared });
  }
  return shared;
}
