import { globSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { exitCodeMeanings } from '../../src/cli/exit-codes.ts';
import { type Actions, buildProgram } from '../../src/cli/program.command.ts';
import { settingsHelp } from '../../src/config/config.ts';
import { type MetricEntry, metricCatalog } from '../../src/metrics/metric-catalog.ts';
import { createMetrics } from '../../src/metrics/registry.metrics.ts';
import { brokenLinks, documents, firstColumn, missingPaths, read, withTable } from '../support/documents.ts';
import { parseMetrics } from '../support/prometheus.ts';

const root = join(import.meta.dirname, '../..');
const quoted = (name: string) => `\`${name}\``;

describe.each([...documents])('%s', (path, text) => {
  test('links to files and headings that exist', () => {
    expect(brokenLinks(path, text)).toEqual([]);
  });

  test('names paths and npm scripts that exist', () => {
    expect(missingPaths(path, text)).toEqual([]);
    const scripts = [...text.matchAll(/npm run (?:-s )?([\w-]+)/g)].map(([, script]) => script!);
    expect(scripts.filter((script) => !(script in manifest.scripts))).toEqual([]);
  });
});

test('README.md has at most 120 lines', () => {
  expect(read('README.md').trimEnd().split('\n').length).toBeLessThanOrEqual(120);
});

describe('docs/architecture.md', () => {
  const text = read('docs/architecture.md');

  test('has every folder of src in its map, and every file directly in it', () => {
    const sources = globSync('src/**/*.ts', { cwd: root });
    const folders = new Set(sources.map((file) => `${dirname(file)}/`));
    folders.delete('src/');
    const wiring = sources.filter((file) => dirname(file) === 'src').map((file) => basename(file));
    expect([...folders, ...wiring].filter((name) => !text.includes(quoted(name)))).toEqual([]);
  });

  test('explains every dependency, and none that is gone', () => {
    const all = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
    const installed = new Set(all.map((name) => name.replace(/^@types\/.*/, '@types/*')));
    const explained = firstColumn(text, 'package').flatMap((cell) => cell.split(', '));
    expect(explained.sort()).toEqual([...installed].map(quoted).sort());
  });
});

// Written again by `npx vitest run test/end-to-end/documents.test.ts -u`.
describe('what is written in the code, too,', () => {
  test('are the settings in docs/configuration.md', async () => {
    const described = [...settingsHelp().matchAll(/^ {2}(\S+) +(.*) \[(.*)\]$/gm)];
    const rows = described.map(([, name, meaning, fallback]) => [quoted(name!), fallback!, meaning!]);
    expect(rows.length).toBeGreaterThan(30);
    const text = withTable(read('docs/configuration.md'), ['setting', 'default', 'meaning'], rows);
    await expect(text).toMatchFileSnapshot('../../docs/configuration.md');
  });

  test('are the metrics in docs/metrics.md', async () => {
    const own: [string, MetricEntry][] = Object.entries(metricCatalog);
    const rows = own.map(([name, { type, labels = [], help }]) => {
      return [quoted(name), type, labels.map(quoted).join(', '), help];
    });
    const text = withTable(read('docs/metrics.md'), ['metric', 'type', 'labels', 'meaning'], rows);
    await expect(text).toMatchFileSnapshot('../../docs/metrics.md');
    const served = [...parseMetrics(await createMetrics().text()).keys()];
    expect(served.filter((name) => !text.includes(quoted(name)))).toEqual([]);
  });

  test('are the commands and exit codes in docs/command-line.md', async () => {
    const program = buildProgram({} as Actions);
    const rows = [...exitCodeMeanings].map(([code, meaning]) => [String(code), meaning]);
    let text = withTable(read('docs/command-line.md'), ['code', 'meaning'], rows);
    for (const one of [program, ...program.commands]) {
      const help = one.configureHelp({ ...one.configureHelp(), showGlobalOptions: false }).helpInformation();
      const heading = one === program ? '^# .*$' : `^## ${one.name()}$`;
      const block = new RegExp(`(${heading}[\\s\\S]*?^\`\`\`text\n)[\\s\\S]*?(?=^\`\`\`$)`, 'm');
      expect(text).toMatch(block);
      text = text.replace(block, (_, before: string) => before + help);
    }
    await expect(text).toMatchFileSnapshot('../../docs/command-line.md');
  });
});
