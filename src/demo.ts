import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { createLogUpdate } from 'log-update';
import type { z } from 'zod';
import { type App, startApp } from './app.ts';
import {
  progressLines,
  progressText,
  type ResultRow,
  resultTable,
  type SymbolProgress,
  totalsTable,
} from './cli/render.ts';
import { readConfig } from './config/config.ts';
import type {
  ClientFrame,
  exposuresSchema,
  Frame,
  JobView,
  PortfolioView,
  SymbolView,
  uploadedSchema,
} from './contract/schemas.ts';

const example = new URL('../examples/portfolio.csv', import.meta.url);
const latencyMs = 150; // like a fast provider: without it the phases would be too short to see
const preferredPort = 3000;

/**
 * The demo: uploads the example portfolio over HTTP and shows the progress and the results, with an embedded database in
 * a new directory and the simulated market. With `--exit` it ends then, with status 0 only if every symbol ended as
 * expected; otherwise the service keeps running until a signal.
 */
async function demo(): Promise<void> {
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1000;
  const dataDir = mkdtempSync(join(tmpdir(), 'symbol-onboarding-demo-'));
  process.on('exit', () => rmSync(dataDir, { recursive: true, force: true }));
  print(styleText('yellow', 'The market is SIMULATED: every price, beta and total below is invented.'));
  print('Creating an embedded database ...');
  const app = await startApp(configFor(dataDir, await freePort()));
  endOnSignal(app);
  const started = elapsed();

  const { portfolio, before, rows } = await onboard(app.url);
  const shown = elapsed();
  print('');
  for (const line of resultTable(rows)) print(line);
  print('');
  for (const line of totalsTable(before, portfolio)) print(line);
  print('');
  print(
    `Onboarded ${rows.length} symbols in ${(shown - started).toFixed(1)} s (simulated latency: ${latencyMs} ms per request). ` +
      `Total time: ${shown.toFixed(1)} s, including ${started.toFixed(1)} s to create the database and start the service.`,
  );
  const failed = rows.filter(({ outcome, expected }) => outcome !== expected);
  if (failed.length > 0) print(styleText('red', `${failed.length} symbols did not end as expected.`));
  if (process.argv.includes('--exit')) {
    await app.close();
    process.exit(failed.length === 0 ? 0 : 1);
  }
  print(
    `The service is running at ${app.url} (this portfolio: ${app.url}/portfolios/${portfolio.portfolio_id}).`,
  );
  print('Ctrl-C stops it and deletes its data.');
}

function configFor(dataDir: string, port: number) {
  const reading = readConfig({
    MARKET_DATA: 'simulated',
    SIMULATED_LATENCY_MS: String(latencyMs),
    DATA_DIR: dataDir,
    FSYNC: 'off',
    // So that the totals stay the same after the next session.
    REFRESH: 'off',
    LOG_LEVEL: 'warn',
    PORT: String(port),
  });
  if ('problems' in reading) throw new Error(reading.problems.map(({ message }) => message).join('; '));
  return reading.config;
}

/** The default port, or any free one if it is in use. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(0));
    probe.listen(preferredPort, '127.0.0.1', () => probe.close(() => resolve(preferredPort)));
  });
}

function endOnSignal(app: App): void {
  const end = () => {
    app.close().finally(() => process.exit(0));
  };
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
}

async function onboard(
  url: string,
): Promise<{ portfolio: PortfolioView; before: PortfolioView; rows: ResultRow[] }> {
  const live = await follow(url);
  const csv = readFileSync(example);
  const response = await fetch(`${url}/portfolios?name=Example`, {
    method: 'POST',
    headers: { 'content-type': 'text/csv' },
    body: csv,
  });
  const upload = (await response.json()) as z.infer<typeof uploadedSchema>;
  if (response.status !== 202)
    throw new Error(`the upload failed with status ${response.status}: ${JSON.stringify(upload)}`);
  const read = async <T>(path: string) => (await (await fetch(url + path)).json()) as T;
  const before = await read<PortfolioView>(`/portfolios/${upload.portfolio_id}`);
  print(`Saved a portfolio of ${before.lot_count} lots; ${upload.pending_symbols.length} symbols are new:\n`);
  await live.until(upload.pending_symbols);

  const { jobs } = await read<{ jobs: JobView[] }>('/onboarding/jobs?limit=500');
  const rows = await Promise.all(
    upload.pending_symbols.map((symbol) =>
      resultOf(
        symbol,
        jobs.find((job) => job.symbol === symbol),
        read,
      ),
    ),
  );
  return { portfolio: await read<PortfolioView>(`/portfolios/${upload.portfolio_id}`), before, rows };
}

async function resultOf(
  symbol: string,
  job: JobView | undefined,
  read: <T>(path: string) => Promise<T>,
): Promise<ResultRow> {
  const { last_price } = await read<SymbolView>(`/symbols/${symbol}`);
  const { exposures } = await read<z.infer<typeof exposuresSchema>>(`/symbols/${symbol}/exposures`);
  const beta = exposures.find(({ factor }) => factor === 'market_beta');
  return {
    symbol,
    outcome: job?.outcome ?? job?.status ?? 'lost',
    expected: symbol.startsWith('NEW') ? 'partial' : 'complete', // too few bars to measure anything
    lastClose: last_price,
    marketBeta: beta && beta.quality !== 'default' ? beta.beta : null,
    seconds: job?.finished_at ? (Date.parse(job.finished_at) - Date.parse(job.created_at)) / 1000 : null,
  };
}

/** Follows the live feed: progress bars on a terminal, else plain lines. */
async function follow(url: string): Promise<{ until(symbols: readonly string[]): Promise<void> }> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, 'onboarding.v1+json');
  const state = new Map<string, SymbolProgress>();
  const opened = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  let awaited: readonly string[] | null = null;
  const update = process.stdout.isTTY ? createLogUpdate(process.stdout) : null;

  const isFinished = ({ status }: SymbolProgress) => status !== 'pending' && status !== 'processing';
  const redraw = () => {
    if (!awaited) return;
    const shown = awaited.map(
      (symbol) => state.get(symbol) ?? { symbol, status: 'pending', phase: null, attempt: 1 },
    );
    update?.(progressLines(shown).join('\n'));
    if (shown.every(isFinished)) ended.resolve();
  };
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(String(data)) as Frame;
    if (frame.type === 'live') opened.resolve();
    if (frame.type !== 'transition') return;
    const { symbol, status, phase, attempt } = frame;
    const previous = state.get(symbol);
    state.set(symbol, { symbol, status, phase, attempt });
    if (!update && progressText(state.get(symbol)!) !== (previous && progressText(previous))) {
      print(`  ${symbol}: ${progressText(state.get(symbol)!)}`);
    }
    redraw();
  };
  socket.onclose = () => ended.reject(new Error('the live feed was closed'));
  const everything: ClientFrame = { type: 'subscribe', subscriptions: [{ id: 'all', everything: true }] };
  socket.onopen = () => socket.send(JSON.stringify(everything));
  socket.onerror = () => opened.reject(new Error('the live feed did not open'));
  await opened.promise;
  return {
    async until(symbols) {
      awaited = symbols;
      redraw();
      await ended.promise;
      update?.done();
      socket.onclose = null;
      socket.close();
    },
  };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

demo().catch((error: unknown) => {
  process.stderr.write(`The demo failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
