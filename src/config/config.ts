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
    /** Empty: everyone who can reach the address may do everything. */
    tokens: Token[];
    /** Other origins whose pages may call the API. */
    corsOrigins: string[];
    /** Addresses and networks of proxies whose `X-Forwarded-*` headers are trusted. */
    trustProxy: string[];
    /** Per minute and client; 0 means no limit. */
    rates: { requests: number; uploads: number };
    connections: { connections: number };
  };
  database:
    | { kind: 'postgresql'; url: string }
    /** Without `fsync` a crash of the machine (not of the process) may lose the last commits. */
    | { kind: 'pglite'; dataDir: string; fsync: boolean };
  supervisor: SupervisorLimits;
  job: JobLimits;
  shutdownGraceMs: number;
  /** How long old rows are kept, in days; the journals of finished jobs also by their number of rows. */
  retention: { journal: { days: number; rows: number }; jobs: number; exposures: number; proxySets: number };
  provider: { concurrency: number; intervalMs: number };
  priceMaxAgeDays: number;
  /** Whether the whole universe is refreshed after each session. */
  refresh: boolean;
  marketData: {
    /** In the order in which they are asked. */
    providers: ProviderName[];
    yahooBaseUrl: string | null;
    /** The directory of the files provider; null unless `providers` includes it. */
    directory: string | null;
    simulated: { seed: number; latencyMs: number; faults: Fault[] };
  };
  /** What to do with symbols that cannot be verified now. */
  unverifiable: Settings['UNVERIFIABLE'];
  /** Whether the Stately inspector is on. */
  inspector: boolean;
  logLevel: Settings['LOG_LEVEL'];
}

/** One wrong setting. `message` is one line: what is wrong, what is allowed, what to do. */
export interface ConfigProblem {
  name: string;
  message: string;
}

export type ConfigAnswer = { config: Config } | { problems: ConfigProblem[] };

type Environment = Record<string, string | undefined>;

/**
 * Reads the environment: a whole configuration, or every problem at once.
 *
 * An empty variable counts as unset. Unknown and unused settings are problems too: a misspelt limit would leave its
 * default in force.
 *
 *     readConfig({ PORT: 'abc' }).problems
 *     // [{ name: 'PORT', message: 'Invalid PORT "abc". Allowed: a whole number from 0 to 65535.' }]
 */
export function readConfig(environment: Environment): ConfigAnswer {
  const values = Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()));
  const known = Object.keys(settingsSchema.shape);
  const parsed = settingsSchema.safeParse(values);
  const issues = parsed.success ? [] : parsed.error.issues;
  const invalid = Map.groupBy(issues, (issue) => String(issue.path[0]));
  const messages = (name: string) => new Set(invalid.get(name)?.map(({ message }) => message));
  const problems = [
    ...known.flatMap((name) =>
      [...messages(name)].map((allowed) => ({
        name,
        message: `Invalid ${name}${quoted(name, values)}. ${allowed}`,
      })),
    ),
    ...crossProblems(values, invalid),
    ...unknownSettings(values, known).map((name) => ({ name, message: unknownMessage(name, known) })),
  ];
  if (!parsed.success || problems.length > 0) return { problems };
  return { config: toConfig(parsed.data) };
}

/** Rules between settings. Each is checked only if the settings themselves are valid. */
function crossProblems(values: Environment, invalid: ReadonlyMap<string, unknown>): ConfigProblem[] {
  const valid = (...names: string[]) => names.every((name) => !invalid.has(name));
  const found: ConfigProblem[] = [];
  // Invalid tokens have a line of their own.
  if (values.HOST && !values.AUTH_TOKENS && valid('HOST') && !isLoopback(values.HOST)) {
    const message =
      `HOST${quoted('HOST', values)} is open to other machines, but AUTH_TOKENS is not set. ` +
      'Set AUTH_TOKENS, or use a loopback address like 127.0.0.1.';
    found.push({ name: 'HOST', message });
  }
  for (const name of ['DATA_DIR', 'FSYNC']) {
    if (!values.DATABASE_URL || !values[name] || !valid(name)) continue;
    const message = `${name}${quoted(name, values)} has no effect with DATABASE_URL. Unset ${name}: it is for the embedded database.`;
    found.push({ name, message });
  }
  const usesFiles = values.MARKET_DATA?.split(',').some((name) => name.trim() === 'files') ?? false;
  if (valid('MARKET_DATA') && usesFiles !== Boolean(values.MARKET_DATA_DIR)) {
    const message = usesFiles
      ? 'Missing MARKET_DATA_DIR. MARKET_DATA includes files: set MARKET_DATA_DIR to the directory of the price files.'
      : `MARKET_DATA_DIR${quoted('MARKET_DATA_DIR', values)} has no effect unless MARKET_DATA includes files. ` +
        'Add files to MARKET_DATA, or unset MARKET_DATA_DIR.';
    found.push({ name: 'MARKET_DATA_DIR', message });
  }
  const base = Number(values.RETRY_BASE_MS ?? settingsSchema.shape.RETRY_BASE_MS.parse(undefined));
  const max = Number(values.RETRY_MAX_MS ?? settingsSchema.shape.RETRY_MAX_MS.parse(undefined));
  if (valid('RETRY_BASE_MS', 'RETRY_MAX_MS') && base > max) {
    const name = values.RETRY_BASE_MS ? 'RETRY_BASE_MS' : 'RETRY_MAX_MS';
    const message = `RETRY_BASE_MS ${base} is greater than RETRY_MAX_MS ${max}. Lower RETRY_BASE_MS or raise RETRY_MAX_MS.`;
    found.push({ name, message });
  }
  return found;
}

const sharedFirstWords = new Set(['AUTH', 'DATA', 'DATABASE', 'JOB', 'LOG', 'PROXY', 'TRUST', 'UPLOAD']);

// A variable counts as ours if a setting begins with it (RATE_LIMIT), or if it shares its first word with a setting
// (RETRY_MAX). First words that other programs use as well do not count.
function unknownSettings(values: Environment, known: readonly string[]): string[] {
  const firstWord = (name: string) => name.split('_')[0]!;
  const severalWords = (name: string) => name.includes('_');
  const own = new Set(known.filter(severalWords).map(firstWord));
  const isOurs = (name: string) =>
    known.some((one) => one.startsWith(name)) ||
    (own.has(firstWord(name)) && !sharedFirstWords.has(firstWord(name)));
  return Object.keys(values).filter((name) => severalWords(name) && !known.includes(name) && isOurs(name));
}

// Never quotes the value: it may be a secret under a misspelt name.
function unknownMessage(name: string, known: readonly string[]): string {
  const similar = known.find((one) => one.startsWith(name)) ?? closest(name, known);
  return `Unknown setting ${name}. ${similar ? `Did you mean ${similar}?` : 'See --help for all settings.'}`;
}

/** The most similar name, if at most a quarter of the letters differ. */
function closest(name: string, known: readonly string[]): string | undefined {
  const ranked = known.map((one) => ({ one, distance: editDistance(name, one) }));
  const [best] = ranked.sort((a, b) => a.distance - b.distance);
  return best && best.distance <= name.length / 4 ? best.one : undefined;
}

/** Levenshtein distance: how many letters must be inserted, deleted or replaced. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [at, letter] of [...from].entries()) {
    const next = [at + 1];
    for (const [index, other] of [...to].entries()) {
      next.push(Math.min(next[index]! + 1, row[index + 1]! + 1, row[index]! + (letter === other ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1)!;
}

const quotedMax = 80;

/** The value in quotes, shortened and without control characters that a terminal would obey; never a secret. */
function quoted(name: string, values: Environment): string {
  const value = values[name];
  if (value === undefined || settingOf(name)?.secret) return '';
  return ` ${JSON.stringify(value.length > quotedMax ? `${value.slice(0, quotedMax)}…` : value)}`;
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

/** Every setting with its meaning and default. */
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
    'Defaults are in brackets. The service does not start with an invalid or unknown setting; it lists all of them.',
  ].join('\n');
}
