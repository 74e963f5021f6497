import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { type CommandOptions, command, documents, olderNode, startCommand } from './support/command.ts';

const root = join(import.meta.dirname, '..');
// Resolved, because Node tells what lies below node_modules by the real path.
const project = realpathSync(mkdtempSync(join(tmpdir(), 'symbol-onboarding-pack-')));
const installed = join(project, 'node_modules/symbol-onboarding');
const bin = join(project, 'node_modules/.bin/symbol-onboarding');
const options: CommandOptions = { bin, cwd: project, env: { FSYNC: 'off', SHUTDOWN_GRACE_MS: '2000' } };

describe('the package of npm pack', { timeout: 120_000 }, () => {
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
  }, 120_000);
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  test('holds what it needs to run, and nothing else', () => {
    const files = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter(
      (file) => !file.startsWith('node_modules'),
    );
    expect(files.filter((file) => !/^(bin|dist)\b|^(README\.md|LICENSE|package\.json)$/.test(file))).toEqual(
      [],
    );
    expect(files.filter((file) => file.endsWith('.ts'))).toEqual([]);
    expect(readdirSync(root), 'packing leaves nothing behind').not.toContain('dist');
  });

  test('tells its version', async () => {
    expect(await command(['--version'], options)).toMatchObject({
      code: 0,
      out: [manifest.version],
      err: [],
    });
  });

  test('serves, takes an upload, tells a status, and stops once at Ctrl-C, on an older Node too', async () => {
    const words = ['serve', '--port', '0', '--data-dir', join(project, 'data'), '--market-data', 'simulated'];
    const service = startCommand(words, { ...options, nodeOptions: olderNode });
    const [url = ''] = /http:\S+/.exec(await service.line(/is at http/)) ?? [];

    const csv = 'Symbol,Quantity,Entry Price Per Share,Entry Date\nAAPL,10,100,2025-01-02';
    const upload = await command(['upload', '-', '--watch', '--url', url], { ...options, input: csv });
    expect(upload).toMatchObject({ code: 0, err: [] });
    expect(upload.out).toContain('  AAPL: completed');
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
