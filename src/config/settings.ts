import { z } from 'zod';
import { childrenMax, jobLimitsSchema, supervisorLimitsSchema } from '../../machines/protocol.ts';
import { connectionLimits } from '../api/http/connection-limits.ts';
import type { ProviderName } from '../market/provider.ts';
import { parseFaults } from '../market/simulated/faults.ts';
import { authTokens, origins, proxies } from './settings-access.ts';

const hourMs = 3_600_000;
const limits = { ...supervisorLimitsSchema.parse({}), ...jobLimitsSchema.parse({}) };

/** What `--help` says about a setting. A `secret` is never shown, not even when it is wrong. */
export interface SettingMeta {
  meaning: string;
  /** Where the default depends on something. */
  byDefault?: string;
  secret?: boolean;
}

const setting = (meaning: string, more: Omit<SettingMeta, 'meaning'> = {}) => ({
  setting: { meaning, ...more },
});

/**
 * Every environment variable that the service reads: SPEC section 9.
 *
 * Defaults are written as a user would write them. An issue's message is the rest of "expected …".
 */
export const settingsSchema = z.object({
  HOST: text('127.0.0.1').meta(setting('address to listen on; only loopback without AUTH_TOKENS')),
  PORT: count(3000, 0, 65_535).meta(setting('port to listen on; 0 takes a free one')),
  DATABASE_URL: url(['postgres', 'postgresql']).meta(
    setting('PostgreSQL; embedded PGlite in DATA_DIR when unset', { secret: true }),
  ),
  DATA_DIR: text('./data').meta(setting('where the embedded database keeps its data')),
  FSYNC: choice(['on', 'off'], 'on').meta(setting('embedded only: flush every commit to disk')),
  ONBOARDING_QUEUE_DEPTH: count(limits.depth, 1, 100_000).meta(
    setting('jobs admitted and unfinished, over the whole cluster'),
  ),
  ONBOARDING_CONCURRENCY: count(limits.concurrency, 1, childrenMax).meta(
    setting('jobs running at once on a node'),
  ),
  ONBOARDING_CLUSTER_CONCURRENCY: whole(1, 10_000)
    .optional()
    .meta(setting('an exact ceiling over all nodes; give each the same', { byDefault: 'none' })),
  ONBOARDING_PREFETCH: whole(0, 100_000)
    .optional()
    .meta(setting('jobs claimed ahead of a free permit', { byDefault: 'the depth when embedded, else 0' })),
  RETRY_LIMIT: count(limits.retryLimit, 0, 100).meta(setting('retries after the first attempt of a phase')),
  RETRY_BASE_MS: count(limits.retryBaseMs, 1, hourMs).meta(
    setting('backoff before the first retry, at most'),
  ),
  RETRY_MAX_MS: count(limits.retryMaxMs, 1, hourMs).meta(setting('backoff before any retry, at most')),
  RETRY_WAIT_MAX_MS: count(limits.retryWaitMaxMs, 0, 24 * hourMs).meta(
    setting('all waiting of a job because a provider said wait'),
  ),
  RESUME_LIMIT: count(limits.resumeLimit, 0, 100).meta(
    setting('takeovers in a row without a completed phase'),
  ),
  SHUTDOWN_GRACE_MS: count(10_000, 0, hourMs).meta(setting('for running phases at SIGTERM')),
  AUTH_TOKENS: authTokens().meta(
    setting('who may call: entries name:role:sha256-of-token, separated by commas', {
      byDefault: 'none',
      secret: true,
    }),
  ),
  CORS_ORIGINS: origins().meta(
    setting('other origins whose pages may call, like https://app.example', { byDefault: 'none' }),
  ),
  TRUST_PROXY: proxies().meta(
    setting('proxies whose X-Forwarded-* headers count: addresses, networks or loopback', {
      byDefault: 'none',
    }),
  ),
  RATE_LIMIT_PER_MINUTE: count(6000, 0, 1_000_000_000).meta(
    setting('requests per minute and client, a token or an address; 0 for any number'),
  ),
  UPLOAD_RATE_LIMIT_PER_MINUTE: count(300, 0, 1_000_000_000).meta(
    setting('uploads, onboardings and tickets per minute and client; 0 for any number'),
  ),
  CONNECTIONS_MAX: count(connectionLimits.connections, 1, 1_000_000).meta(
    setting('connections open at once; more are closed as they come'),
  ),
  PROVIDER_CONCURRENCY: count(4, 1, 100).meta(setting('requests to market data at once')),
  PROVIDER_INTERVAL_MS: count(0, 0, 60_000).meta(setting('least time between two requests to market data')),
  REFRESH: choice(['on', 'off'], 'on').meta(
    setting('refresh every known symbol once its exchange has completed a session'),
  ),
  PRICE_MAX_AGE_DAYS: count(3, 0, 365).meta(setting('weekdays after which a known symbol is refreshed')),
  JOURNAL_RETENTION_DAYS: count(30, 1, 36_500).meta(
    setting('days for which the feed can be replayed and the journals of ended jobs are kept'),
  ),
  JOURNAL_RETENTION_ROWS: count(1_000_000, 1000, 1_000_000_000).meta(
    setting('transitions that are kept of those, the newest'),
  ),
  JOB_RETENTION_DAYS: days().meta(
    setting('days for which ended jobs are kept; the newest of a symbol stays, and one with a journal'),
  ),
  EXPOSURE_RETENTION_DAYS: days().meta(
    setting('days for which old factor exposures are kept; the newest of a symbol stay'),
  ),
  PROXY_SET_RETENTION_DAYS: days().meta(
    setting('days for which old proxy prices are kept; those of the newest exposures stay'),
  ),
  MARKET_DATA: providers().meta(setting('providers in order, separated by commas: yahoo, files, simulated')),
  MARKET_DATA_DIR: z.string().optional().meta(setting('directory of the files provider')),
  YAHOO_BASE_URL: url(['http', 'https']).meta(
    setting('send all Yahoo traffic to this origin, for proxies and stand-ins'),
  ),
  SIMULATED_SEED: count(1, 0, 2 ** 31 - 1).meta(setting('which simulated market')),
  SIMULATED_LATENCY_MS: count(0, 0, 60_000).meta(setting('how long each simulated answer takes')),
  SIMULATED_FAULTS: faults().meta(
    setting('faults of the simulated market, like AAPL=timeout:2,MSFT=empty', { byDefault: 'none' }),
  ),
  UNVERIFIABLE: choice(['reject', 'defer'], 'reject').meta(
    setting('symbols that cannot be verified now: reject the upload, or defer it to their jobs'),
  ),
  INSPECTOR: choice(['auto', 'on', 'off'], 'auto').meta(
    setting('the Stately inspector, for operators: on, off, or auto: on where HOST is loopback'),
  ),
  LOG_LEVEL: choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'info').meta(
    setting('how much is logged: fatal, error, warn, info, debug, trace, silent'),
  ),
});
export type Settings = z.output<typeof settingsSchema>;

function text(fallback: string) {
  return z.string().trim().min(1).prefault(fallback);
}

/** A whole number in a range, written in digits. */
function whole(min: number, max: number) {
  const error = `a whole number from ${min} to ${max}`;
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
  const parse = z.enum(names, { error: `one of ${names.join(', ')}` });
  return z.string().trim().pipe(parse).prefault(fallback);
}

function url(protocols: readonly string[]) {
  const error = `a URL that begins with ${protocols.map((name) => `${name}://`).join(' or ')}`;
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
  if (names.some((name) => !known.has(name))) return 'yahoo, files or simulated';
  // Invented prices must never fill the gaps of real ones.
  if (names.includes('simulated') && names.length > 1) return 'simulated to stand alone';
  return new Set(names).size < names.length ? 'each provider once' : null;
}

function faults() {
  return z
    .string()
    .transform((list, context) => {
      try {
        return parseFaults(list);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        // Its message begins with "expected" and ends with the evidence; both are ours to say.
        context.addIssue({
          code: 'custom',
          message: message.replace(/^expected /, '').replace(/, got:.*$/s, ''),
        });
        return z.NEVER;
      }
    })
    .prefault('');
}
