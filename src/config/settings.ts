import { z } from 'zod';
import { childrenMax, jobLimitsSchema, supervisorLimitsSchema } from '../../machines/protocol.ts';
import { connectionLimits } from '../api/http/connection-limits.ts';
import type { ProviderName } from '../market/provider.ts';
import { parseFaults } from '../market/simulated/faults.ts';
import { authTokens, origins, proxies } from './settings-access.ts';

const hourMs = 3_600_000;
const limits = { ...supervisorLimitsSchema.parse({}), ...jobLimitsSchema.parse({}) };

/** What `--help` says about a setting. A `secret` is never shown, not even when it is invalid. */
export interface SettingMeta {
  meaning: string;
  /** What `--help` shows as default if the schema has no fixed one. */
  byDefault?: string;
  secret?: boolean;
}

const setting = (meaning: string, more: Omit<SettingMeta, 'meaning'> = {}) => ({
  setting: { meaning, ...more },
});

/**
 * Every environment variable that the service reads: SPEC section 9.
 *
 * Defaults are written as a user would write them. An issue's message follows "Invalid NAME "value".": it says what is
 * allowed.
 */
export const settingsSchema = z.object({
  HOST: text('127.0.0.1').meta(setting('address to listen on; must be loopback unless AUTH_TOKENS is set')),
  PORT: count(3000, 0, 65_535).meta(setting('port to listen on; 0 picks a free one')),
  DATABASE_URL: url(['postgres', 'postgresql']).meta(
    setting('URL of PostgreSQL; without it an embedded PGlite in DATA_DIR is used', { secret: true }),
  ),
  DATA_DIR: text('./data').meta(setting('directory of the embedded database')),
  FSYNC: choice(['on', 'off'], 'on').meta(setting('embedded database only: flush every commit to disk')),
  ONBOARDING_QUEUE_DEPTH: count(limits.depth, 1, 100_000).meta(
    setting('maximum number of unfinished jobs in the whole cluster'),
  ),
  ONBOARDING_CONCURRENCY: count(limits.concurrency, 1, childrenMax).meta(
    setting('maximum number of running jobs per node'),
  ),
  ONBOARDING_CLUSTER_CONCURRENCY: whole(1, 10_000)
    .optional()
    .meta(
      setting('maximum number of running jobs in the whole cluster; set the same on every node', {
        byDefault: 'none',
      }),
    ),
  ONBOARDING_PREFETCH: whole(0, 100_000)
    .optional()
    .meta(
      setting('jobs that a node claims before a permit is free', {
        byDefault: 'the queue depth when embedded, else 0',
      }),
    ),
  RETRY_LIMIT: count(limits.retryLimit, 0, 100).meta(
    setting('maximum retries of a phase after its first attempt'),
  ),
  RETRY_BASE_MS: count(limits.retryBaseMs, 1, hourMs).meta(setting('maximum backoff before the first retry')),
  RETRY_MAX_MS: count(limits.retryMaxMs, 1, hourMs).meta(setting('maximum backoff before any retry')),
  RETRY_WAIT_MAX_MS: count(limits.retryWaitMaxMs, 0, 24 * hourMs).meta(
    setting('maximum time in total that a job waits because a provider asks for it'),
  ),
  RESUME_LIMIT: count(limits.resumeLimit, 0, 100).meta(
    setting('maximum takeovers of a job in a row without a completed phase'),
  ),
  SHUTDOWN_GRACE_MS: count(10_000, 0, hourMs).meta(
    setting('how long running phases may take to finish after SIGTERM'),
  ),
  AUTH_TOKENS: authTokens().meta(
    setting('accepted tokens: entries name:role:sha256-of-token, separated by commas', {
      byDefault: 'none',
      secret: true,
    }),
  ),
  CORS_ORIGINS: origins().meta(
    setting('other origins whose pages may call the API, like https://app.example', { byDefault: 'none' }),
  ),
  TRUST_PROXY: proxies().meta(
    setting('proxies whose X-Forwarded-* headers are trusted: addresses, networks or loopback', {
      byDefault: 'none',
    }),
  ),
  RATE_LIMIT_PER_MINUTE: count(6000, 0, 1_000_000_000).meta(
    setting('maximum requests per minute and client (token or address); 0 means no limit'),
  ),
  UPLOAD_RATE_LIMIT_PER_MINUTE: count(300, 0, 1_000_000_000).meta(
    setting('maximum uploads, onboardings and tickets per minute and client; 0 means no limit'),
  ),
  CONNECTIONS_MAX: count(connectionLimits.connections, 1, 1_000_000).meta(
    setting('maximum number of open connections; further ones are closed at once'),
  ),
  PROVIDER_CONCURRENCY: count(4, 1, 100).meta(setting('maximum number of concurrent market-data requests')),
  PROVIDER_INTERVAL_MS: count(0, 0, 60_000).meta(setting('minimum time between two market-data requests')),
  REFRESH: choice(['on', 'off'], 'on').meta(
    setting('refresh every known symbol after each session of its exchange'),
  ),
  PRICE_MAX_AGE_DAYS: count(3, 0, 365).meta(
    setting('weekdays after which the prices of a known symbol are too old'),
  ),
  JOURNAL_RETENTION_DAYS: count(30, 1, 36_500).meta(
    setting('days to keep the feed for replay and the journals of finished jobs'),
  ),
  JOURNAL_RETENTION_ROWS: count(1_000_000, 1000, 1_000_000_000).meta(
    setting('maximum number of those transitions to keep; the oldest are deleted first'),
  ),
  MARKET_DATA: providers().meta(
    setting('market-data providers in order, separated by commas: yahoo, files, simulated'),
  ),
  JOB_RETENTION_DAYS: days().meta(
    setting('days to keep finished jobs; the newest of a symbol and those with a journal stay'),
  ),
  EXPOSURE_RETENTION_DAYS: days().meta(
    setting('days to keep old factor exposures; the newest of a symbol stay'),
  ),
  PROXY_SET_RETENTION_DAYS: days().meta(
    setting('days to keep old proxy prices; those of the newest exposures stay'),
  ),
  MARKET_DATA_DIR: z.string().optional().meta(setting('directory of the files provider')),
  YAHOO_BASE_URL: url(['http', 'https']).meta(
    setting('send all Yahoo requests to this origin, for proxies and stand-ins'),
  ),
  SIMULATED_SEED: count(1, 0, 2 ** 31 - 1).meta(setting('seed of the simulated market')),
  SIMULATED_LATENCY_MS: count(0, 0, 60_000).meta(setting('response time of the simulated market')),
  SIMULATED_FAULTS: faults().meta(
    setting('faults of the simulated market, like AAPL=timeout:2,MSFT=empty', { byDefault: 'none' }),
  ),
  UNVERIFIABLE: choice(['reject', 'defer'], 'reject').meta(
    setting('symbols that cannot be verified now: reject the upload, or defer the check to their jobs'),
  ),
  INSPECTOR: choice(['auto', 'on', 'off'], 'auto').meta(
    setting('the Stately inspector, for operators: on, off, or auto (on if HOST is loopback)'),
  ),
  LOG_LEVEL: choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'info').meta(
    setting('log level: fatal, error, warn, info, debug, trace, silent'),
  ),
});
export type Settings = z.output<typeof settingsSchema>;

function text(fallback: string) {
  return z.string().trim().min(1).prefault(fallback);
}

/** A whole number in a range, written in digits. */
function whole(min: number, max: number) {
  const error = `Allowed: a whole number from ${min} to ${max}.`;
  return z
    .string()
    .trim()
    .regex(/^\d{1,15}$/, { error, abort: true })
    .transform(Number)
    .pipe(z.number().min(min, { error }).max(max, { error }));
}

function count(fallback: number, min: number, max: number) {
  return whole(min, max).prefault(String(fallback));
}

/** How long old rows are kept: a year by default, as far back as the prices of a symbol go. */
function days() {
  return count(365, 1, 36_500);
}

function choice<const Names extends readonly [string, ...string[]]>(names: Names, fallback: string) {
  const parse = z.enum(names, { error: `Allowed: ${names.join(', ')}.` });
  return z.string().trim().pipe(parse).prefault(fallback);
}

function url(protocols: readonly string[]) {
  const error = `Allowed: a URL that begins with ${protocols.map((name) => `${name}://`).join(' or ')}.`;
  const fits = (value: string) =>
    URL.canParse(value) && protocols.includes(new URL(value).protocol.slice(0, -1));
  return z.string().trim().refine(fits, { error }).optional();
}

function providers() {
  return z
    .string()
    .transform((list) => list.split(',').map((name) => name.trim()))
    .superRefine((names, context) => {
      const wrong = refuseProviders(names);
      if (wrong !== null) context.addIssue({ code: 'custom', message: wrong });
    })
    .transform((names) => names as ProviderName[])
    .prefault('yahoo');
}

const known: ReadonlySet<string> = new Set<ProviderName>(['yahoo', 'files', 'simulated']);

function refuseProviders(names: readonly string[]): string | null {
  if (names.some((name) => !known.has(name))) return 'Allowed: yahoo, files, simulated.';
  if (names.includes('simulated') && names.length > 1)
    return 'Use simulated alone: it must not fill gaps in real prices.';
  return new Set(names).size < names.length ? 'Name each provider once.' : null;
}

function faults() {
  return z
    .string()
    .transform((list, context) => {
      try {
        return parseFaults(list);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        // The value is quoted by the reader of the settings.
        const allowed = message.replace(/^expected /, '').replace(/, got:.*$/s, '');
        context.addIssue({ code: 'custom', message: `Allowed: ${allowed}.` });
        return z.NEVER;
      }
    })
    .prefault('');
}
