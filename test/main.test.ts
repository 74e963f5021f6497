import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { settingsSchema } from '../src/config/settings.ts';
import type { JobDetailView, PortfolioView } from '../src/contract/schemas.ts';
import { describeOnDatabase } from './support/databases.ts';
import { csvOf } from './support/service.ts';
import { allEnded, details, jobsOf, read, run, stopped, upload, watch } from './support/service-process.ts';
import { startStandinYahoo } from './support/standin-yahoo/server.ts';

const base = mkdtempSync(join(tmpdir(), 'symbol-onboarding-main-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

let directories = 0;
/** A data directory that a service has left behind after a clean stop, empty of portfolios. */
function dataDir(): string {
  directories += 1;
  const directory = join(base, `data-${directories}`);
  cpSync(join(base, 'template'), directory, { recursive: true });
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
const simulated = (directory: string, more: Record<string, string> = {}, options = {}) =>
  run({ MARKET_DATA: 'simulated', DATA_DIR: directory, PORT: '0', FSYNC: 'off', ...more }, options);

const symbols = Array.from({ length: 12 }, (_, n) => `SYM${n}`);
/** How often a phase was begun after it had been done: never, if what was journaled is believed. */
const repeats = ({ timeline }: JobDetailView, phase: string) => {
  const done = timeline.findIndex(({ event }) => event === `${phase}.done`);
  return timeline.slice(done + 1).filter(({ to }) => done >= 0 && to === `processing.${phase}.running`)
    .length;
};

describe('npm start', { timeout: 180_000 }, () => {
  // The first start makes the database, which takes seconds; the others begin with a copy of it.
  beforeAll(async () => {
    const ends: (() => Promise<void>)[] = [];
    const first = simulated(
      join(base, 'template'),
      { FSYNC: 'on' },
      { atEnd: (end: () => Promise<void>) => ends.push(end) },
    );
    await first.url();
    expect(await stopped(first)).toMatchObject({ code: 0, signal: null, err: [] });
    return async () => {
      for (const end of ends) await end();
    };
  });

  test('prints every setting with its default and meaning', async () => {
    const { code, out, err } = await run({}, { parameters: ['--help'] }).closed;
    expect({ code, err }).toEqual({ code: 0, err: [] });
    for (const name of Object.keys(settingsSchema.shape)) {
      expect(out.filter((line) => line.startsWith(`  ${name} `))).toEqual([
        expect.stringMatching(/ {2}\S.* \[.+\]$/),
      ]);
    }
  });

  test('names all wrong settings at once, one line each, and starts nothing', async () => {
    const directory = join(base, 'never');
    const wrong = { DATA_DIR: directory, PORT: 'abc', RETRY_LIMIT: '-1', ONBOARDING_CONCURENCY: '4' };
    const { code, out, err } = await run(wrong).closed;
    expect({ code, out }).toEqual({ code: 1, out: [] });
    expect(err).toEqual([
      expect.stringMatching(/^Invalid PORT "abc"\. Allowed: a whole number/),
      expect.stringMatching(/^Invalid RETRY_LIMIT "-1"\./),
      expect.stringMatching(
        /^Unknown setting ONBOARDING_CONCURENCY\. Did you mean ONBOARDING_CONCURRENCY\?$/,
      ),
    ]);
    expect(readdirSync(base)).not.toContain('never');
  });

  test('stops cleanly at SIGINT in the middle of an onboarding, and goes on at the next start', async () => {
    const directory = dataDir();
    const slow = simulated(directory, { SHUTDOWN_GRACE_MS: '50', SIMULATED_LATENCY_MS: '400' });
    const url = await slow.url();
    const { until } = await watch(url);
    await upload(url, csvOf(...symbols));
    await until((seen) => seen.some(({ to }) => to === 'processing.fetch.running'));
    expect(await stopped(slow, 'SIGINT')).toMatchObject({ code: 0, signal: null, err: [] });
    expect(slow.out.join('\n')).toContain('The market is SIMULATED');
    const next = simulated(directory);
    await allEnded(await next.url());
    const jobs = await jobsOf(await next.url());
    expect(jobs.map(({ status, resumes }) => `${status} ${resumes}`)).toEqual(
      symbols.map(() => 'completed 0'),
    );
    expect(await stopped(next)).toMatchObject({ code: 0 });
  });

  test('finishes every job after kill -9, and does nothing again that was done', async () => {
    const directory = dataDir();
    const latency = { SIMULATED_LATENCY_MS: '30' };
    let service = simulated(directory, latency);
    const first = await watch(await service.url());
    const id = await upload(await service.url(), csvOf(...symbols));
    await first.until((seen) => seen.filter(({ event }) => event === 'fetch.done').length >= 4);
    const told = first.seen.at(-1)!;
    await stopped(service, 'SIGKILL');

    service = simulated(directory, latency);
    const url = await service.url();
    await allEnded(url);
    const jobs = await details(url);
    expect(jobs.map(({ status, symbol }) => [symbol, status]).sort()).toEqual(
      symbols.map((symbol) => [symbol, 'completed']).sort(),
    );
    for (const phase of ['fetch', 'factors', 'universe', 'snapshot', 'cache']) {
      expect(jobs.filter((job) => repeats(job, phase) > 0)).toEqual([]);
    }
    for (const { timeline } of jobs) {
      expect(timeline.map(({ sequence }) => sequence)).toEqual(timeline.map((_, index) => index + 1));
      expect(timeline.map(({ from }) => from)).toEqual([null, ...timeline.slice(0, -1).map(({ to }) => to)]);
    }
    expect(jobs.some(({ timeline }) => timeline.some(({ event }) => event === 'resumed'))).toBe(true);
    const kept = jobs.flatMap(({ timeline }) => timeline).find(({ position }) => position === told.position);
    expect(kept, 'what a client was told is there').toMatchObject({ to: told.to, job_id: told.job_id });
    const portfolio = await read<PortfolioView>(`${url}/portfolios/${id}`);
    expect(portfolio).toMatchObject({ status: 'ready', snapshot: { position_count: 12, pending_count: 0 } });
    expect(await stopped(service, 'SIGTERM')).toMatchObject({ code: 0, signal: null, err: [] });
  });

  test('refuses a data directory that another process holds, in one line, and harms nobody', async () => {
    const directory = dataDir();
    const holder = simulated(directory);
    const url = await holder.url();
    const { code, out, err } = await simulated(directory).closed;
    expect({ code, out }).toEqual({ code: 1, out: [] });
    expect(err).toEqual([expect.stringMatching(/is held by process \d+ .*Stop that process/)]);
    expect(await jobsOf(url)).toEqual([]);

    // Its port is refused as plainly, before anything is made in the other directory.
    const elsewhere = join(base, 'never-made');
    const rival = await run({
      MARKET_DATA: 'simulated',
      DATA_DIR: elsewhere,
      PORT: new URL(url).port,
      FSYNC: 'off',
    }).closed;
    expect(rival.code).toBe(1);
    expect(rival.err).toEqual([expect.stringMatching(/Cannot listen on .*another program uses the port/)]);
    expect(readdirSync(base)).not.toContain('never-made');
    expect(await stopped(holder)).toMatchObject({ code: 0 });
  });

  test('names DATABASE_URL when no PostgreSQL answers there, in one line', async () => {
    const { code, err } = await run({
      MARKET_DATA: 'simulated',
      DATABASE_URL: 'postgres://127.0.0.1:1/nowhere',
      PORT: '0',
    }).closed;
    expect(code).toBe(1);
    expect(err).toEqual([expect.stringMatching(/Cannot use PostgreSQL at DATABASE_URL: /)]);
  });

  test('refuses real prices in a database of invented ones, in one line', async () => {
    const { code, err } = await run({ MARKET_DATA: 'yahoo', DATA_DIR: dataDir(), PORT: '0', FSYNC: 'off' })
      .closed;
    expect(code).toBe(1);
    expect(err).toEqual([expect.stringMatching(/holds simulated prices, but MARKET_DATA is yahoo/)]);
  });
});

describeOnDatabase('postgres', 'npm start', (makeDatabase) => {
  test('onboards an upload from Yahoo Finance', { timeout: 180_000 }, async () => {
    const yahoo = await startStandinYahoo({ seed: 1 });
    onTestFinished(() => yahoo.close());
    const { databaseUrl } = await makeDatabase();
    const service = run({
      MARKET_DATA: 'yahoo',
      YAHOO_BASE_URL: yahoo.url,
      DATABASE_URL: databaseUrl!,
      PORT: '0',
    });
    const url = await service.url();
    const id = await upload(url, csvOf('AAPL', 'BRK.B', 'VOD.L'));
    await allEnded(url);
    const jobs = await jobsOf(url);
    expect(jobs.map(({ symbol, status, outcome }) => [symbol, status, outcome]).sort()).toEqual([
      ['AAPL', 'completed', 'complete'],
      ['BRK-B', 'completed', 'complete'],
      ['GBPUSD=X', 'completed', 'complete'], // the pounds of VOD.L
      ['VOD.L', 'completed', 'complete'],
    ]);
    const charts = yahoo.requests().filter(({ path }) => path.includes('/chart/'));
    expect(charts).toHaveLength(8 + 4);
    expect(await read<PortfolioView>(`${url}/portfolios/${id}`)).toMatchObject({
      status: 'ready',
      snapshot: { position_count: 3, missing_fx_count: 0 },
    });
    expect(await stopped(service)).toMatchObject({ code: 0, err: [] });
  });
});
