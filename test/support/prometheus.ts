export interface Family {
  type: string;
  help: string;
  samples: { name: string; labels: Record<string, string>; value: number }[];
}

/** Reads the text format of Prometheus; throws at a line that it does not know. */
export function parseMetrics(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  const of = (name: string) => {
    const known = families.get(name) ?? { type: '', help: '', samples: [] };
    families.set(name, known);
    return known;
  };
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, kind, name, rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind === 'HELP') of(name!).help = rest!;
    else if (kind === 'TYPE') of(name!).type = rest!;
    else {
      const [, sample, labels = '', value] = /^([a-z_][a-z0-9_]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      if (!sample) throw new Error(`expected a sample, got: ${line}`);
      const family = families.has(sample) ? sample : sample.replace(/_(bucket|sum|count)$/, '');
      const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [
        key,
        text,
      ]);
      of(family).samples.push({ name: sample, labels: Object.fromEntries(pairs), value: Number(value) });
    }
  }
  return families;
}

/** The value of one sample, null where there is none with exactly these labels. */
export function sampleOf(text: string, name: string, labels: Record<string, string> = {}): number | null {
  const wanted = JSON.stringify(Object.entries(labels).sort());
  for (const { samples } of parseMetrics(text).values()) {
    const found = samples.find(
      (sample) => sample.name === name && JSON.stringify(Object.entries(sample.labels).sort()) === wanted,
    );
    if (found) return found.value;
  }
  return null;
}
