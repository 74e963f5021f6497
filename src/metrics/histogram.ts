/** One line of the text format. */
interface Sample {
  labels: Record<string, string | number>;
  value: number;
  metricName: string;
}

interface Series {
  labels: Record<string, string>;
  /** One per bound and one for what is beyond them; not cumulative. */
  counts: number[];
  sum: number;
}

export interface HistogramOptions {
  name: string;
  help: string;
  labelNames: readonly string[];
  /** Upper bounds, ascending. */
  buckets: readonly number[];
}

/**
 * A histogram for a registry of `prom-client`, whose own takes 5 µs to find the series of an observation by its labels:
 * every answer is observed, and a whole one from memory takes 80. This takes half a microsecond.
 */
export function histogram({ name, help, labelNames, buckets }: HistogramOptions) {
  const series = new Map<string, Series>();
  return {
    name,
    observe(labels: Record<string, string>, value: number): void {
      let key = '';
      for (const label of labelNames) key += `${labels[label]}\n`;
      let own = series.get(key);
      if (!own) {
        own = { labels, counts: Array(buckets.length + 1).fill(0), sum: 0 };
        series.set(key, own);
      }
      let at = 0;
      while (at < buckets.length && value > buckets[at]!) at += 1;
      own.counts[at]! += 1;
      own.sum += value;
    },
    /** What the registry asks for at each scrape. */
    async get() {
      return {
        name,
        help,
        type: 'histogram',
        aggregator: 'sum',
        values: [...series.values()].flatMap(samples),
      };
    },
    reset: () => series.clear(),
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
