import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client';
import { histogram } from './histogram.ts';
import { type MetricEntry, type MetricName, type MetricOf, metricCatalog } from './metric-catalog.ts';

type Labels = Record<string, string>;

/** The counters and histograms of one app, and its gauges, which are set when they are read. */
export interface Metrics {
  /** Adds one, or `by`; 0 has the text show a counter that has counted nothing yet. */
  count(name: MetricOf<'counter'>, labels: Labels, by?: number): void;
  observe(name: MetricOf<'histogram'>, labels: Labels, seconds: number): void;
  /** A gauge without a value is missing from the text until it has one again. */
  set(name: MetricOf<'gauge'>, value: number | null, labels?: Labels): void;
  /** In the text format of Prometheus, the process's own figures behind ours. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** A registry of its own: two apps in one process, as in the tests, share no figure but the process's. */
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

// Observers of the garbage collector and of the event loop cannot be taken back: one set serves every app.
function ofProcess(): Registry {
  if (!shared) {
    shared = new Registry();
    collectDefaultMetrics({ register: shared });
  }
  return shared;
}
