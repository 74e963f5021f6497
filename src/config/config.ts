import type { z } from 'zod';
import type { JobLimits, SupervisorLimits } from '../../machines/protocol.ts';
import { isLoopback } from '../api/access/loopback.ts';
import type { Token } from '../api/access/tokens.ts';
import type { ProviderName } from '../market/provider.ts';
import type { Fault } from '../market/simulated/faults.ts';
import { type SettingMeta, type Settings, settingsSchema } from './settings.ts';

/** Every setting, read and checked. */
export interface Config {
  host: string;
  port: number;
  http: {
    /** None: whoever can reach the address may do everything. */
    tokens: Token[];
    /** Pages of other origins that may call. */
    corsOrigins: string[];
    /** Addresses and networks of proxies whose word counts for who the client is. */
    trustProxy: string[];
    /** Per minute and client; 0 for any number. */
    rates: { requests: number; uploads: number };
    connections: { connections: number };
  };
  database:
    | { kind: 'postgresql'; url: string }
    /** Without `fsync` the last commits may be lost when the machine (not the process) dies. */
    | { kind: 'pglite'; dataDir: string; fsync: boolean };
  supervisor: SupervisorLimits;
  job: JobLimits;
  shutdownGraceMs: number;
  /** What is kept of old rows, in days; of the journals of ended jobs, a number of rows too. */
  retention: { journal: { days: number; rows: number }; jobs: number; exposures: number; proxySets: number };
  provider: { concurrency: number; intervalMs: number };
  priceMaxAgeDays: number;
  /** Whether the whole universe is refreshed after each session. */
  refresh: boolean;
  marketData: {
    /** In the order in which they are tried. */
    providers: ProviderName[];
    yahooBaseUrl: string | null;
    /** The directory of the files provider; there is one exactly where `providers` has it. */
    directory: string | null;
    simulated: { seed: number; latencyMs: number; faults: Fault[] };
  };
  /** What becomes of an upload, or of a single symbol, that cannot be verified now. */
  unverifiable: Settings['UNVERIFIABLE'];
  /** Whether live actors may be looked at. */
  inspector: boolean;
  logLevel: Settings['LOG_LEVEL'];
}

/** One wrong setting: `message` is a whole line for people. */
export interface ConfigProblem {
  name: string;
  message: string;
}

export type ConfigAnswer = { config: Config } | { problems: ConfigProblem[] };

type Environment = Record<string, string | undefined>;

/**
 * Reads the environment: a whole configuration, or every problem at once.
 *
 * An empty variable counts as unset. What this version cannot honour is refused, never ignored.
 *
 *     readConfig({ PORT: 'abc' })   // { problems: [{ name: 'PORT', message: 'PORT: expected a whole number …' }] }
 */
export function readConfig(environment: Environment): ConfigAnswer {
  const values = Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()));
  const known = Object.keys(settingsSchema.shape);
  const problem = (name: string, expected: string): ConfigProblem => ({
    name,
    message: `${name}: expected ${expected}, came: ${shown(name, values[name])}`,
  });
  const parsed = settingsSchema.safeParse(values);
  const issues = parsed.success ? [] : parsed.error.issues;
  const wrong = Map.groupBy(issues, (issue) => String(issue.path[0]));
  const messages = (name: string) => new Set(wrong.get(name)?.map(({ message }) => message));
  const problems = [
    ...known.flatMap((name) => [...messages(name)].map((expected) => problem(name, expected))),
    ...crossProblems(values, wrong).map(([name, expected]) => problem(name, expected)),
    ...misspelt(values, known).map((name) => {
      const meant = wholeNameOf(name);
      return problem(name, `${meant ? `${meant}, or another` : 'one'} of the settings that --help lists`);
    }),
  ];
  if (!parsed.success || problems.length > 0) return { problems };
  return { config: toConfig(parsed.data) };
}

/** Rules between settings, each only where the settings themselves are right. */
function crossProblems(values: Environment, wrong: ReadonlyMap<string, unknown>): [string, string][] {
  const right = (...names: string[]) => names.every((name) => !wrong.has(name));
  const found: [string, string][] = [];
  // Wrong tokens have a line of their own.
  if (values.HOST && !values.AUTH_TOKENS && right('HOST') && !isLoopback(values.HOST)) {
    found.push([
      'HOST',
      'a loopback address, because without AUTH_TOKENS anybody who connects may do everything',
    ]);
  }
  for (const name of ['DATA_DIR', 'FSYNC']) {
    if (values.DATABASE_URL && values[name] && right(name)) {
      found.push([name, 'to be unset beside DATABASE_URL: it is for the embedded database']);
    }
  }
  const usesFiles = values.MARKET_DATA?.split(',').some((name) => name.trim() === 'files') ?? false;
  if (right('MARKET_DATA') && usesFiles !== Boolean(values.MARKET_DATA_DIR)) {
    const expected = usesFiles
      ? 'a directory, because MARKET_DATA names files'
      : 'to be unset unless MARKET_DATA names files';
    found.push(['MARKET_DATA_DIR', expected]);
  }
  const base = Number(values.RETRY_BASE_MS ?? settingsSchema.shape.RETRY_BASE_MS.parse(undefined));
  const max = Number(values.RETRY_MAX_MS ?? settingsSchema.shape.RETRY_MAX_MS.parse(undefined));
  if (right('RETRY_BASE_MS', 'RETRY_MAX_MS') && base > max) {
    found.push([values.RETRY_BASE_MS ? 'RETRY_BASE_MS' : 'RETRY_MAX_MS', 'RETRY_BASE_MS <= RETRY_MAX_MS']);
  }
  return found;
}

const othersToo = new Set(['AUTH', 'DATA', 'DATABASE', 'JOB', 'LOG', 'PROXY', 'TRUST', 'UPLOAD']);

// A misspelt limit would silently leave the default in force: RATE_LIMIT, RETRY_MAX, AUTH_TOKEN. What begins with
// another word than a setting does, or with one that other programs use too, may be theirs.
function misspelt(values: Environment, known: readonly string[]): string[] {
  const firstWord = (name: string) => name.split('_')[0]!;
  const severalWords = (name: string) => name.includes('_');
  const own = new Set(known.filter(severalWords).map(firstWord));
  const isOurs = (name: string) =>
    wholeNameOf(name) !== undefined || (own.has(firstWord(name)) && !othersToo.has(firstWord(name)));
  return Object.keys(values).filter((name) => severalWords(name) && !known.includes(name) && isOurs(name));
}

/** The setting whose name begins like that. */
function wholeNameOf(name: string): string | undefined {
  return Object.keys(settingsSchema.shape).find((whole) => whole.startsWith(name));
}

const shownMax = 80;

/** The evidence, shortened, without secrets and without bytes that a terminal would obey. */
function shown(name: string, value: string | undefined): string {
  if (value === undefined) return 'nothing';
  if (settingOf(wholeNameOf(name) ?? name)?.secret) return '(not shown)';
  return JSON.stringify(value.length > shownMax ? `${value.slice(0, shownMax)}…` : value);
}

function settingOf(name: string): SettingMeta | undefined {
  const schema: z.ZodType | undefined = (settingsSchema.shape as Record<string, z.ZodType>)[name];
  return schema?.meta()?.setting as SettingMeta | undefined;
}

function toConfig(settings: Settings): Config {
  const depth = settings.ONBOARDING_QUEUE_DEPTH;
  const { DATABASE_URL: url } = settings;
  return {
    host: settings.HOST,
    port: settings.PORT,
    http: {
      tokens: settings.AUTH_TOKENS,
      corsOrigins: settings.CORS_ORIGINS,
      trustProxy: settings.TRUST_PROXY,
      rates: {
        requests: settings.RATE_LIMIT_PER_MINUTE,
        uploads: settings.UPLOAD_RATE_LIMIT_PER_MINUTE,
      },
      connections: { connections: settings.CONNECTIONS_MAX },
    },
    database: url
      ? { kind: 'postgresql', url }
      : { kind: 'pglite', dataDir: settings.DATA_DIR, fsync: settings.FSYNC === 'on' },
    supervisor: {
      depth,
      concurrency: settings.ONBOARDING_CONCURRENCY,
      clusterConcurrency: settings.ONBOARDING_CLUSTER_CONCURRENCY ?? null,
      prefetch: settings.ONBOARDING_PREFETCH ?? (url ? 0 : depth),
    },
    job: {
      retryLimit: settings.RETRY_LIMIT,
      retryBaseMs: settings.RETRY_BASE_MS,
      retryMaxMs: settings.RETRY_MAX_MS,
      retryWaitMaxMs: settings.RETRY_WAIT_MAX_MS,
      resumeLimit: settings.RESUME_LIMIT,
    },
    shutdownGraceMs: settings.SHUTDOWN_GRACE_MS,
    retention: {
      journal: { days: settings.JOURNAL_RETENTION_DAYS, rows: settings.JOURNAL_RETENTION_ROWS },
      jobs: settings.JOB_RETENTION_DAYS,
      exposures: settings.EXPOSURE_RETENTION_DAYS,
      proxySets: settings.PROXY_SET_RETENTION_DAYS,
    },
    provider: { concurrency: settings.PROVIDER_CONCURRENCY, intervalMs: settings.PROVIDER_INTERVAL_MS },
    priceMaxAgeDays: settings.PRICE_MAX_AGE_DAYS,
    refresh: settings.REFRESH === 'on',
    marketData: {
      providers: settings.MARKET_DATA,
      yahooBaseUrl: settings.YAHOO_BASE_URL ?? null,
      directory: settings.MARKET_DATA_DIR ?? null,
      simulated: {
        seed: settings.SIMULATED_SEED,
        latencyMs: settings.SIMULATED_LATENCY_MS,
        faults: settings.SIMULATED_FAULTS,
      },
    },
    unverifiable: settings.UNVERIFIABLE,
    inspector: settings.INSPECTOR === 'auto' ? isLoopback(settings.HOST) : settings.INSPECTOR === 'on',
    logLevel: settings.LOG_LEVEL,
  };
}

/** What `npm start -- --help` prints. */
export function helpText(): string {
  const opening = ['Usage: npm start [-- --help]', '', 'Onboards the new symbols of uploaded portfolios.'];
  return [...opening, '', settingsHelp()].join('\n');
}

/** Every setting with its default and meaning, and where to put them. */
export function settingsHelp(): string {
  const rows = Object.entries(settingsSchema.shape).map(([name, schema]) => {
    const { meaning = '', byDefault } = settingOf(name) ?? {};
    const prefault = (schema as z.ZodType).def as { type: string; defaultValue?: unknown };
    const fallback = prefault.type === 'prefault' ? String(prefault.defaultValue) : 'none';
    return { name, meaning, fallback: byDefault ?? fallback };
  });
  const width = Math.max(...rows.map(({ name }) => name.length));
  return [
    'Settings are environment variables:',
    '',
    ...rows.map(({ name, meaning, fallback }) => `  ${name.padEnd(width)}  ${meaning} [${fallback}]`),
    '',
    'The value in brackets is the default. Wrong settings stop the start, all named at once.',
  ].join('\n');
}
