import { cpSync, mkdtempSync, openAsBlob, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { phases } from '../../machines/protocol.ts';
import type { JobDetailView, PortfolioView } from '../../src/contract/schemas.ts';
import { startSymbolQueue } from '../../src/onboarding/claims/symbol.queue.ts';
import { openDatabase } from '../../src/open-database.ts';
import { pgliteTemplate } from '../support/databases.ts';
import { temporaryDirectory } from '../support/directories.ts';
import { csvOf } from '../support/service.ts';
import { allEnded, details, read, run, stopped, upload } from '../support/service-process.ts';
import { type StandinYahoo, startStandinYahoo } from '../support/standin-yahoo/server.ts';

// What a first start leaves behind, made once: the others begin with a copy of it.
const made = mkdtempSync(join(tmpdir(), 'symbol-onboarding-test-'));
beforeAll(async () => {
  const loadDataDir = await openAsBlob(await pgliteTemplate());
  const database = await openDatabase({ databaseUrl: null, dataDir: made, fsync: false, loadDataDir });
  const queue = await startSymbolQueue(database, { log: () => {} });
  await queue.stop();
  await database.close();
});
afterAll(() => rmSync(made, { recursive: true, force: true }));

function dataDir(): string {
  const directory = temporaryDirectory();
  cpSync(made, directory, { recursive: true });
  return directory;
}

const onDisk = (directory: string) => ({
  DATA_DIR: directory,
  PORT: '0',
  RETRY_BASE_MS: '20',
  RETRY_MAX_MS: '50',
});

const chartsOf = (yahoo: StandinYahoo, symbol: string) =>
  yahoo.requests().filter(({ path }) => path.includes(`/chart/${symbol}?`)).length;

/** The one journal, gapless and in order; what was done is done once. */
function expectWhole({ timeline }: JobDetailView): void {
  expect(timeline.map(({ sequence }) => sequence)).toEqual(timeline.map((_, index) => index + 1));
  expect(timeline.map(({ from }) => from)).toEqual([null, ...timeline.slice(0, -1).map(({ to }) => to)]);
  for (const phase of phases) {
    expect(timeline.filter(({ event }) => event === `${phase}.done`)).toHaveLength(1);
    expect(timeline.every(({ attempt }) => attempt === 1)).toBe(true);
  }
}

describe('a service that dies behind its n-th commit', { timeout: 180_000 }, () => {
  let yahoo: StandinYahoo;
  let prepared: string;
  // A portfolio uploaded, its job not begun: each death begins with a copy of that.
  beforeAll(async () => {
    yahoo = await startStandinYahoo({ seed: 1 });
    prepared = mkdtempSync(join(tmpdir(), 'symbol-onboarding-test-'));
    cpSync(made, prepared, { recursive: true });
    const ends: (() => Promise<void>)[] = [];
    const settings = { MARKET_DATA: 'yahoo', YAHOO_BASE_URL: yahoo.url, ...onDisk(prepared) };
    const service = run(settings, { atEnd: (end) => ends.push(end) });
    const url = await service.url();
    await fetch(`${url}/onboarding/pause`, { method: 'POST' });
    await upload(url, csvOf('AAPL'));
    await stopped(service);
    return async () => {
      for (const end of ends) await end();
      await yahoo.close();
      rmSync(prepared, { recursive: true, force: true });
    };
  });

  const soaking = Boolean(process.env.SOAK);
  // Of ten: behind the one that begins the first phase, and behind the one that enters the universe.
  const commits = soaking ? Array.from({ length: 12 }, (_, n) => n + 2) : [5, 9];
  const diedIn = new Set<string>();

  test.each(commits)('goes on where it was: %i', async (commit) => {
    const directory = temporaryDirectory();
    cpSync(prepared, directory, { recursive: true });
    yahoo.forget();
    const settings = { MARKET_DATA: 'yahoo', YAHOO_BASE_URL: yahoo.url, ...onDisk(directory) };
    const from = join(directory, 'armed');
    const fault = { FSYNC: 'on', FAULT: `die:${commit}`, FAULT_FROM: from };
    const dying = run({ ...settings, ...fault }, { preload: 'faulty-disk.ts' });
    const url = await dying.url();
    writeFileSync(from, '');
    // It may die before it has answered.
    await fetch(`${url}/onboarding/resume`, { method: 'POST' }).catch(() => {});
    // Whoever asks may hear that the connection is gone before the process is.
    const done = allEnded(url).then(
      () => null,
      () => dying.closed,
    );
    const ended = await Promise.race([dying.closed, done]);
    if (ended === null) return void expect(commit).toBeGreaterThan(9); // it needs no more commits than that
    expect(ended.signal).toBe('SIGKILL');

    const next = run({ ...settings, FSYNC: 'off' });
    await fetch(`${await next.url()}/onboarding/resume`, { method: 'POST' });
    await allEnded(await next.url());
    const [job] = await details(await next.url());
    expect(job).toMatchObject({ status: 'completed', outcome: 'complete', resumes: 0 });
    expectWhole(job!);
    const resumed = job!.timeline.find(({ event }) => event === 'resumed');
    diedIn.add(resumed?.from ?? 'pending');
    // Nobody is asked before that is journaled, and the prices are stored with the transition that tells of them.
    expect(chartsOf(yahoo, 'AAPL')).toBe(1);
    const { portfolios } = await read<{ portfolios: PortfolioView[] }>(`${await next.url()}/portfolios`);
    expect(portfolios).toMatchObject([
      { status: 'ready', snapshot: { position_count: 1, pending_count: 0 } },
    ]);
    expect(await stopped(next)).toMatchObject({ code: 0, err: [] });
  });

  // Only all commits together reach every phase for certain.
  if (soaking)
    test('and so it died in every phase that has a commit of its own', () => {
      for (const phase of phases.slice(0, -1))
        expect([...diedIn].some((state) => state.includes(phase))).toBe(true);
    });
});

describe('a job that takes its process down', { timeout: 180_000 }, () => {
  test('ends failed after RESUME_LIMIT takeovers, with that reason, and the next job goes on', async () => {
    let kill: (() => void) | null = null;
    const before = async (target: string) => {
      if (kill === null || !target.includes('/chart/SPY')) return; // its factors need the proxies
      kill();
      await new Promise(() => {});
    };
    const yahoo = await startStandinYahoo({ seed: 1, before });
    onTestFinished(() => yahoo.close());
    const settings = {
      ...{ MARKET_DATA: 'yahoo', YAHOO_BASE_URL: yahoo.url, ...onDisk(dataDir()), FSYNC: 'off' },
      ...{ RESUME_LIMIT: '1', ONBOARDING_CONCURRENCY: '1' },
    };
    for (let takeover = 0; takeover <= 1; takeover += 1) {
      const service = run(settings);
      if (takeover === 0) {
        const url = await service.url();
        await fetch(`${url}/onboarding/pause`, { method: 'POST' });
        await upload(url, csvOf('DEADLY', 'HARMLESS'));
        kill = () => service.kill('SIGKILL');
        await fetch(`${url}/onboarding/resume`, { method: 'POST' }).catch(() => {});
      }
      kill = () => service.kill('SIGKILL');
      expect((await service.closed).signal).toBe('SIGKILL');
    }
    kill = null;
    const service = run(settings);
    const url = await service.url();
    await allEnded(url);
    const jobs = await details(url);
    expect(jobs.find(({ symbol }) => symbol === 'DEADLY')).toMatchObject({
      status: 'failed',
      phase: 'factors',
      attempt: 1,
      resumes: 2,
      error: { code: 'resume_limit_exceeded', message: expect.stringContaining('2 times in a row') },
    });
    expect(jobs.find(({ symbol }) => symbol === 'HARMLESS')).toMatchObject({
      status: 'completed',
      resumes: 0,
    });
    expect(await stopped(service)).toMatchObject({ code: 0, err: [] });
  });
});

describe('a service whose disk refuses to flush the log', { timeout: 180_000 }, () => {
  test('ends and says so, instead of refusing every statement for ever', async () => {
    const directory = dataDir();
    const from = join(directory, 'disk-is-broken');
    const settings = {
      ...{ MARKET_DATA: 'simulated', DATA_DIR: directory, PORT: '0', FSYNC: 'on' },
      ...{ FAULT: 'refuse', FAULT_FROM: from, SHUTDOWN_GRACE_MS: '0' },
    };
    const service = run(settings, { preload: 'faulty-disk.ts' });
    const url = await service.url();
    await upload(url, csvOf('BEFORE'));
    writeFileSync(from, '');
    const { code, signal, err } = await service.closed;
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    expect(err).toEqual([
      expect.stringMatching(/^The service has to stop: the embedded database has stopped: could not fsync/),
    ]);
  });
});
