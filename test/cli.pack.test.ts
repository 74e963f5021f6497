import { execFileSync, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { type CommandOptions, command, documents, olderNode, startCommand } from './support/command.ts';
import { importsOf } from './support/imports.ts';

const root = join(import.meta.dirname, '..');
// Resolved, because Node tells what lies below node_modules by the real path.
const project = realpathSync(mkdtempSync(join(tmpdir(), 'symbol-onboarding-pack-')));
const installed = join(project, 'node_modules/symbol-onboarding');
const bin = join(project, 'node_modules/.bin/symbol-onboarding');
const options: CommandOptions = { bin, cwd: project, env: { FSYNC: 'off', SHUTDOWN_GRACE_MS: '2000' } };

// What somebody writes who has installed the package: as it runs, and as it is checked.
const consumer = `
import { createClient } from 'symbol-onboarding/client';
const client = createClient({ url: process.argv[2] });
const csv = 'Symbol,Quantity,Entry Price Per Share,Entry Date\\nMSFT,10,100,2025-01-02';
const { portfolio_id } = await client.portfolios.upload({ name: 'Mine', csv });
let last;
for await (const state of client.watchPortfolio(portfolio_id)) last = state;
const { snapshot } = await client.portfolios.get(portfolio_id);
const refusal = await client.symbols.get('NEVER').catch((error) => error.code);
console.log(last.jobs.MSFT.state + ', ' + snapshot.position_count + ' priced; ' + refusal);
`;
const typedConsumer = `
import { createClient, ProblemError, type PortfolioState } from 'symbol-onboarding/client';
const client = createClient({ url: 'http://127.0.0.1:3000' });
export async function use(id: string): Promise<string | null> {
  for await (const { snapshot, jobs } of client.watchPortfolio(id)) {
    const value: string | undefined = snapshot?.total_value;
    const attempt: number | undefined = jobs.AAPL?.attempt;
    // @ts-expect-error money is no number
    const wrong: number | undefined = snapshot?.total_value;
    console.log(value, attempt, wrong);
  }
  // @ts-expect-error there is no such status
  await client.onboarding.jobs({ status: ['ended'] });
  try {
    return (await client.symbols.status('AAPL', { wait: 5 })).message;
  } catch (error) {
    if (error instanceof ProblemError && error.code === 'queue_full') return String(error.retryAfterSeconds);
    throw error;
  }
}
export type State = PortfolioState;
`;
// As a page is built: no types of Node.
const strictly = {
  compilerOptions: {
    ...{ strict: true, noEmit: true, types: [], lib: ['es2024', 'dom', 'dom.iterable', 'dom.asynciterable'] },
    ...{ module: 'nodenext', moduleResolution: 'nodenext', exactOptionalPropertyTypes: true },
  },
  files: ['consumer.ts'],
};

describe('the package of npm pack', { timeout: 180_000 }, () => {
  // As `npm install` would put it there, less the network: its dependencies are ours.
  beforeAll(() => {
    const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', project], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
      encoding: 'utf8',
    });
    expect(packed).toContain('bin/symbol-onboarding.js');
    mkdirSync(join(project, 'node_modules/.bin'), { recursive: true });
    execFileSync('tar', ['xzf', `symbol-onboarding-${manifest.version}.tgz`], { cwd: project });
    renameSync(join(project, 'package'), installed);
    symlinkSync(join(root, 'node_modules'), join(installed, 'node_modules'));
    symlinkSync(join(installed, manifest.bin['symbol-onboarding']), bin);
  });
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  test('holds what it needs to run, and nothing else', () => {
    const files = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter(
      (file) => !file.startsWith('node_modules'),
    );
    expect(files.filter((file) => !/^(bin|dist)\b|^(README\.md|LICENSE|package\.json)$/.test(file))).toEqual(
      [],
    );
    expect(files.filter((file) => /(?<!\.d)\.ts$/.test(file))).toEqual([]);
    expect(files).toContain('dist/src/api/inspector/bridge.browser.js');
    expect(readdirSync(root), 'packing leaves nothing behind').not.toContain('dist');
  });

  test('tells its version', async () => {
    expect(await command(['--version'], options)).toMatchObject({
      code: 0,
      out: [manifest.version],
      err: [],
    });
  });

  test('has a client that loads nothing but itself, and whose types hold', () => {
    const loaded: string[] = [];
    const load = (file: string) => {
      if (loaded.includes(file)) return;
      loaded.push(file);
      for (const { specifier } of importsOf(readFileSync(join(installed, file), 'utf8'))) {
        expect(specifier, `${file} imports`).toMatch(/^\.\/[\w.-]+\.js$/);
        load(posix.join(posix.dirname(file), specifier));
      }
    };
    load(manifest.exports['./client'].default.slice(2));
    expect(loaded.length).toBeGreaterThan(3);

    writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
    writeFileSync(join(project, 'consumer.ts'), typedConsumer);
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(strictly));
    const tsc = join(root, 'node_modules/.bin/tsc');
    const checked = spawnSync(tsc, ['-p', '.'], { cwd: project, encoding: 'utf8' });
    expect(checked.stdout + checked.stderr).toBe('');
  });

  test('serves, takes an upload, tells a status, and stops once at Ctrl-C, on an older Node too', async () => {
    const words = ['serve', '--port', '0', '--data-dir', join(project, 'data'), '--market-data', 'simulated'];
    const service = startCommand(words, { ...options, nodeOptions: olderNode });
    const [url = ''] = /http:\S+/.exec(await service.line(/is at http/)) ?? [];

    const csv = 'Symbol,Quantity,Entry Price Per Share,Entry Date\nAAPL,10,100,2025-01-02';
    const upload = await command(['upload', '-', '--watch', '--url', url], { ...options, input: csv });
    expect(upload).toMatchObject({ code: 0, err: [] });
    expect(upload.out).toContain('  AAPL: completed');
    writeFileSync(join(project, 'watch.mjs'), consumer);
    const watched = execFileSync(process.execPath, ['watch.mjs', url], { cwd: project, encoding: 'utf8' });
    expect(watched).toBe('completed, 1 priced; symbol_unknown\n');

    const status = await command(['status', 'AAPL', '--json', '--url', url], options);
    expect(documents(status.out)).toMatchObject([{ symbols: [{ symbol: 'AAPL', status: 'ready' }] }]);

    // A terminal stops launcher and program alike, and the launcher hands it on: one Ctrl-C, several signals. Two of a
    // kind may merge on their way, so these are of two kinds.
    service.child.kill('SIGINT');
    service.child.kill('SIGTERM');
    const { code, signal, out, err } = await service.closed;
    expect({ code, signal, err }).toEqual({ code: 0, signal: null, err: [] });
    expect(out.at(-1)).toBe('Stopped.');
  });
});
