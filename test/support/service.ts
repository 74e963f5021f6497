import assert from 'node:assert/strict';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import type { z } from 'zod';
import { type App, startApp } from '../../src/app.ts';
import { readConfig } from '../../src/config/config.ts';
import type {
  JobDetailView,
  PortfolioView,
  TransitionView,
  uploadedSchema,
} from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import type { MarketDataProvider } from '../../src/market/provider.ts';
import { parseFaults } from '../../src/market/simulated/faults.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { reconcilerStore } from '../../src/onboarding/upkeep/reconciler.store.ts';
import { laggingStore } from '../../src/portfolio/lagging-snapshots.store.ts';
import { observeProvider } from '../../src/trace-context.ts';
import { credentials, type Person } from './tokens.ts';

interface Answer<T> {
  status: number;
  headers: Headers;
  /** Null where there is none. */
  body: T;
}

export interface TestService {
  app: App;
  url: string;
  get<T = unknown>(path: string): Promise<Answer<T>>;
  /** Sends a request without a body. */
  send<T = unknown>(method: 'POST' | 'DELETE', path: string): Promise<Answer<T>>;
  post<T = unknown>(path: string): Promise<Answer<T>>;
  /** Uploads CSV text, with more headers where they are given. */
  upload<T = unknown>(csv: string, query?: string, more?: Record<string, string>): Promise<Answer<T>>;
  portfolio(id: string): Promise<PortfolioView>;
  /** Every transition since the start, in feed order. */
  transitions: TransitionView[];
  /** Resolves with the first committed transition that matches, past or future. */
  transition(matches: (transition: TransitionView) => boolean): Promise<TransitionView>;
  /** Resolves with the portfolio once none of its symbols has an unfinished job. */
  settled(id: string): Promise<PortfolioView>;
  job(symbol: string): Promise<JobDetailView>;
  /** The same service for somebody with a token; needs the setting `AUTH_TOKENS: authTokens`. */
  as(person: Person): TestService;
}

/** The answer to an upload that was taken. */
export type Uploaded = z.infer<typeof uploadedSchema>;

export interface TestServiceOptions {
  /** Settings of SPEC section 9. Retries come at once unless they say otherwise; `MARKET_DATA` names real providers. */
  settings?: Record<string, string>;
  /** `SIMULATED_FAULTS`. */
  faults?: string;
  provider?: MarketDataProvider;
  clock?: Clock;
  /** The jitter of retries, in [0, 1). */
  random?: () => number;
  /** False where the test itself breaks what the reconciler would mend. */
  isSound?: boolean;
}

const rest = new Set(['completed', 'failed', 'cancelled']);

/** The whole service on a test's database and the simulated market, over real HTTP; closed with the test. */
export async function startService(
  database: Database,
  options: TestServiceOptions = {},
): Promise<TestService> {
  const { settings = {}, faults = '', clock = systemClock } = options;
  const reading = readConfig({
    MARKET_DATA: 'simulated',
    PORT: '0',
    REFRESH: 'off',
    RETRY_BASE_MS: '1',
    RETRY_MAX_MS: '2',
    SHUTDOWN_GRACE_MS: '2000',
    ...(database.databaseUrl && { DATABASE_URL: database.databaseUrl }),
    ...settings,
  });
  if ('problems' in reading) throw new Error(reading.problems.map(({ message }) => message).join('\n'));
  const app = await startApp(reading.config, {
    // The test's database outlives the service: a restart is a second service on it.
    database: { ...database, close: async () => {} },
    ...(settings.MARKET_DATA === undefined && {
      provider:
        options.provider ??
        simulatedProvider({
          clock,
          faults: parseFaults(faults),
          throttleMs: 5,
          observe: observeProvider,
        }),
    }),
    logger: pino({ level: process.env.LOG_LEVEL ?? 'silent' }),
    clock,
    ...(options.random && { random: options.random }),
  });
  onTestFinished(async () => {
    await app.close();
    // A test that failed while it was paused would have the next one on its database wait for ever.
    await database.sql(`delete from service_state where key = 'paused'`);
    if (options.isSound ?? true) assert.deepEqual(await findingsIn(database), noFindings);
  });
  return serviceOf(app);
}

const noFindings = { lost: [], idle: [], lagging: [], miscounted: [] };

/** What the reconciler would find: nothing, whatever a test did to the service. */
async function findingsIn(database: Database) {
  const { findings } = reconcilerStore(database, { queue: {} as never, node: 'none' });
  const { findLagging } = laggingStore(database, {} as never);
  const miscounted = await database.sql(miscountedSql);
  return { ...(await findings()), lagging: (await findLagging(null, 1_000_000)).lagging, miscounted };
}

const miscountedSql = `
  select status, sum(n)::int as off from (
    select status, n from onboarding_job_counts union all select status, -1 from onboarding_jobs) counts
  group by status having sum(n) <> 0`;

function serviceOf(app: App): TestService {
  const heard = hear(app);
  const client = (person: Person | null): TestService => clientOf(app, heard, { person, as: client });
  return client(null);
}

type Heard = Pick<TestService, 'transitions' | 'transition'>;

function hear(app: App): Heard {
  const transitions: TransitionView[] = [];
  const waiting = new Set<() => void>();
  const { close } = app.service.feed.subscribe((entry) => {
    if (entry.type !== 'transition') return;
    const { type: _, ...transition } = entry;
    transitions.push(transition);
    for (const look of waiting) look();
  });
  onTestFinished(close);

  const transition: TestService['transition'] = (matches) =>
    new Promise((resolve) => {
      const look = () => {
        const found = transitions.find(matches);
        if (!found) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
    });
  return { transitions, transition };
}

function clientOf(
  app: App,
  { transitions, transition }: Heard,
  { person, as }: { person: Person | null; as: TestService['as'] },
): TestService {
  const headers = credentials(person);
  const read = async <T>(response: Response): Promise<Answer<T>> => {
    const text = await response.text();
    const body = (text === '' ? null : JSON.parse(text)) as T;
    return { status: response.status, headers: response.headers, body };
  };
  const send = async <T>(method: string, path: string) =>
    read<T>(await fetch(app.url + path, { method, headers }));
  const get = async <T>(path: string) => read<T>(await fetch(app.url + path, { headers }));
  const portfolio = async (id: string) => (await get<PortfolioView>(`/portfolios/${id}`)).body;

  return {
    app,
    url: app.url,
    get,
    send,
    post: (path) => send('POST', path),
    async upload<T>(csv: string, query = 'name=test', more: Record<string, string> = {}) {
      const sent = { ...headers, 'content-type': 'text/csv', ...more };
      const request = { method: 'POST', body: csv, headers: sent };
      return read<T>(await fetch(`${app.url}/portfolios?${query}`, request));
    },
    portfolio,
    as,
    transitions,
    transition,
    async settled(id) {
      for (;;) {
        const seen = transitions.at(-1)?.position ?? 0;
        const view = await portfolio(id);
        if (view.status !== 'pending') return view;
        await transition(({ position, to }) => position > seen && rest.has(to));
      }
    },
    async job(symbol) {
      const { body } = await get<{ jobs: { job_id: string }[] }>(`/onboarding/jobs?symbol=${symbol}`);
      return (await get<JobDetailView>(`/onboarding/jobs/${body.jobs[0]!.job_id}`)).body;
    },
  };
}

/** A portfolio CSV of the required columns, one open lot of 10 at 100 per symbol. */
export function csvOf(...symbols: string[]): string {
  const rows = symbols.map((symbol) => `${symbol},10,100,2025-01-02`);
  return ['Symbol,Quantity,Entry Price Per Share,Entry Date', ...rows].join('\n');
}
