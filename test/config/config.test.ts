import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { isLoopback } from '../../src/api/access/loopback.ts';
import { helpText, readConfig } from '../../src/config/config.ts';

/** The lines that stop the start. */
function problemsOf(environment: Record<string, string>): string[] {
  const answer = readConfig(environment);
  return 'problems' in answer ? answer.problems.map(({ message }) => message) : [];
}

function configOf(environment: Record<string, string>) {
  const answer = readConfig(environment);
  if ('problems' in answer) throw new Error(answer.problems.map(({ message }) => message).join('\n'));
  return answer.config;
}

describe('readConfig', () => {
  test('has the documented defaults', () => {
    const { http: _, ...config } = configOf({}); // see config.access.test.ts
    expect(config).toEqual({
      host: '127.0.0.1',
      inspector: true,
      port: 3000,
      database: { kind: 'pglite', dataDir: './data', fsync: true },
      supervisor: { depth: 50, concurrency: 3, clusterConcurrency: null, prefetch: 50 },
      job: {
        retryLimit: 3,
        retryBaseMs: 1000,
        retryMaxMs: 30_000,
        retryWaitMaxMs: 900_000,
        resumeLimit: 5,
      },
      shutdownGraceMs: 10_000,
      retention: { journal: { days: 30, rows: 1_000_000 }, jobs: 365, exposures: 365, proxySets: 365 },
      provider: { concurrency: 4, intervalMs: 0 },
      priceMaxAgeDays: 3,
      refresh: true,
      marketData: {
        providers: ['yahoo'],
        yahooBaseUrl: null,
        directory: null,
        simulated: { seed: 1, latencyMs: 0, faults: [] },
      },
      unverifiable: 'reject',
      logLevel: 'info',
    });
  });

  test('reads how long old rows are kept', () => {
    const { retention } = configOf({
      JOURNAL_RETENTION_DAYS: '7',
      JOURNAL_RETENTION_ROWS: '5000',
      JOB_RETENTION_DAYS: '90',
      EXPOSURE_RETENTION_DAYS: '60',
      PROXY_SET_RETENTION_DAYS: '30',
    });
    expect(retention).toEqual({ journal: { days: 7, rows: 5000 }, jobs: 90, exposures: 60, proxySets: 30 });
    expect(problemsOf({ JOB_RETENTION_DAYS: '0' })).toHaveLength(1);
  });

  test('takes an empty or blank variable for an unset one', () => {
    expect(configOf({ PORT: '', DATABASE_URL: '  ', AUTH_TOKENS: '' })).toEqual(configOf({}));
  });

  test('prefetches the whole depth when embedded and nothing in a cluster, unless told', () => {
    const url = 'postgres://localhost/onboarding';
    expect(configOf({ ONBOARDING_QUEUE_DEPTH: '7' }).supervisor.prefetch).toBe(7);
    expect(configOf({ DATABASE_URL: url }).supervisor.prefetch).toBe(0);
    expect(configOf({ DATABASE_URL: url, ONBOARDING_PREFETCH: '2' }).supervisor.prefetch).toBe(2);
  });

  test('takes PostgreSQL when it has a URL', () => {
    const url = 'postgresql://me:pw@db:5432/onboarding?sslmode=require';
    expect(configOf({ DATABASE_URL: url }).database).toEqual({ kind: 'postgresql', url });
  });

  test('reads the simulated market with its faults', () => {
    const { marketData } = configOf({
      MARKET_DATA: ' simulated ',
      SIMULATED_SEED: '7',
      SIMULATED_LATENCY_MS: '250',
      SIMULATED_FAULTS: 'AAPL=timeout:2',
    });
    expect(marketData).toMatchObject({
      providers: ['simulated'],
      simulated: {
        seed: 7,
        latencyMs: 250,
        faults: [{ symbol: 'AAPL', kind: 'timeout', count: 2 }],
      },
    });
  });

  test.each([
    [{ PORT: 'abc' }, 'PORT: expected a whole number from 0 to 65535, came: "abc"'],
    [{ PORT: '65536' }, 'PORT: expected a whole number from 0 to 65535, came: "65536"'],
    [{ PORT: '-1' }, 'PORT: expected a whole number from 0 to 65535, came: "-1"'],
    [
      { ONBOARDING_QUEUE_DEPTH: '0' },
      'ONBOARDING_QUEUE_DEPTH: expected a whole number from 1 to 100000, came: "0"',
    ],
    [
      { ONBOARDING_CONCURRENCY: '2.5' },
      'ONBOARDING_CONCURRENCY: expected a whole number from 1 to 200, came: "2.5"',
    ],
    [{ FSYNC: 'yes' }, 'FSYNC: expected one of on, off, came: "yes"'],
    [
      { LOG_LEVEL: 'loud' },
      'LOG_LEVEL: expected one of fatal, error, warn, info, debug, trace, silent, came: "loud"',
    ],
    [
      { YAHOO_BASE_URL: 'localhost:8080' },
      'YAHOO_BASE_URL: expected a URL that begins with http:// or https://, came: "localhost:8080"',
    ],
    [{ MARKET_DATA: 'bloomberg' }, 'MARKET_DATA: expected yahoo, files or simulated, came: "bloomberg"'],
    [{ MARKET_DATA: 'yahoo,yahoo' }, 'MARKET_DATA: expected each provider once, came: "yahoo,yahoo"'],
    [
      { MARKET_DATA: 'yahoo,simulated' },
      'MARKET_DATA: expected simulated to stand alone, came: "yahoo,simulated"',
    ],
    [
      { RETRY_BASE_MS: '500', RETRY_MAX_MS: '400' },
      'RETRY_BASE_MS: expected RETRY_BASE_MS <= RETRY_MAX_MS, came: "500"',
    ],
    [{ RETRY_MAX_MS: '400' }, 'RETRY_MAX_MS: expected RETRY_BASE_MS <= RETRY_MAX_MS, came: "400"'],
  ])('%j is one line', (environment, line) => {
    expect(problemsOf(environment as Record<string, string>)).toEqual([line]);
  });

  test('tells every wrong setting at once', () => {
    const lines = problemsOf({ PORT: 'x', LOG_LEVEL: 'loud', HOST: '0.0.0.0', RETRY_LIMIT: 'many' });
    expect(lines.map((line) => line.split(':')[0])).toEqual(['PORT', 'RETRY_LIMIT', 'LOG_LEVEL', 'HOST']);
    for (const line of lines) expect(line).not.toContain('\n');
  });

  test('reads providers in order, and wants a directory exactly where files is one of them', () => {
    const both = { MARKET_DATA: 'yahoo, files', MARKET_DATA_DIR: './bars' };
    expect(configOf(both).marketData).toMatchObject({ providers: ['yahoo', 'files'], directory: './bars' });
    expect(problemsOf({ MARKET_DATA: 'files' })).toEqual([
      'MARKET_DATA_DIR: expected a directory, because MARKET_DATA names files, came: nothing',
    ]);
    expect(problemsOf({ MARKET_DATA_DIR: './bars' })).toEqual([
      'MARKET_DATA_DIR: expected to be unset unless MARKET_DATA names files, came: "./bars"',
    ]);
  });

  test('listens on loopback only, because nobody has to say who they are', () => {
    for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '::1']) {
      expect(isLoopback(host)).toBe(true);
      expect(configOf({ HOST: host }).host).toBe(host);
    }
    for (const host of ['0.0.0.0', '::', '192.168.1.2', '127.0.0.1.example.com', 'example.com']) {
      expect(problemsOf({ HOST: host })).toEqual([expect.stringMatching(/^HOST: expected a loopback/)]);
    }
  });

  test.each(['DATA_DIR', 'FSYNC'])('refuses %s beside DATABASE_URL, where it would do nothing', (name) => {
    const value = name === 'FSYNC' ? 'off' : './elsewhere';
    const lines = problemsOf({ DATABASE_URL: 'postgres://localhost/x', [name]: value });
    expect(lines).toEqual([expect.stringContaining(`${name}: expected to be unset beside DATABASE_URL`)]);
  });

  test('never shows a secret, not even a wrong one', () => {
    const lines = problemsOf({ DATABASE_URL: 'mysql://me:hunter2@db/x', AUTH_TOKENS: 'ann:user:hunter2' });
    expect(lines).toHaveLength(2);
    expect(lines.join()).not.toContain('hunter2');
  });

  test('names a misspelt setting instead of running without it', () => {
    expect(problemsOf({ ONBOARDING_CONCURENCY: '8', PATH: '/bin' })).toEqual([
      'ONBOARDING_CONCURENCY: expected one of the settings that --help lists, came: "8"',
    ]);
  });

  test.each([
    [
      { RATE_LIMIT: '0' },
      'RATE_LIMIT: expected RATE_LIMIT_PER_MINUTE, or another of the settings that --help lists, came: "0"',
    ],
    [{ RETRY_MAX_S: '3' }, 'RETRY_MAX_S: expected one of the settings that --help lists, came: "3"'],
    [
      { AUTH_TOKEN: 'ann-and-her-secret' },
      'AUTH_TOKEN: expected AUTH_TOKENS, or another of the settings that --help lists, came: (not shown)',
    ],
  ])('refuses the near miss %j', (environment, line) => {
    expect(problemsOf(environment)).toEqual([line]);
  });

  test.each([
    'HOSTNAME',
    'HOME',
    'DATA_SOURCE',
    'DATABASE_PASSWORD',
    'LOG_FORMAT',
    'UPLOAD_DIR',
    'PORT_ALIAS',
    'JOB_NAME',
    'PROXY_HOST',
  ])('leaves %s to other programs', (name) => {
    expect(problemsOf({ [name]: 'x' })).toEqual([]);
  });

  test('quotes what came without letting it touch the terminal', () => {
    const [line = ''] = problemsOf({ PORT: `\u001b[31m${'9'.repeat(500)}` });
    expect(line).not.toContain('\u001b');
    expect(line.length).toBeLessThan(200);
  });
});

describe('help', () => {
  const documented = [
    ['HOST', '127.0.0.1'],
    ['PORT', '3000'],
    ['DATABASE_URL', 'none'],
    ['DATA_DIR', './data'],
    ['ONBOARDING_QUEUE_DEPTH', '50'],
    ['ONBOARDING_CONCURRENCY', '3'],
    ['ONBOARDING_CLUSTER_CONCURRENCY', 'none'],
    ['ONBOARDING_PREFETCH', 'the depth when embedded, else 0'],
    ['RETRY_LIMIT', '3'],
    ['RETRY_BASE_MS', '1000'],
    ['RETRY_MAX_MS', '30000'],
    ['RETRY_WAIT_MAX_MS', '900000'],
    ['RESUME_LIMIT', '5'],
    ['SHUTDOWN_GRACE_MS', '10000'],
    ['AUTH_TOKENS', 'none'],
    ['CORS_ORIGINS', 'none'],
    ['TRUST_PROXY', 'none'],
    ['RATE_LIMIT_PER_MINUTE', '6000'],
    ['UPLOAD_RATE_LIMIT_PER_MINUTE', '300'],
    ['CONNECTIONS_MAX', '1000'],
    ['FSYNC', 'on'],
    ['PROVIDER_CONCURRENCY', '4'],
    ['PROVIDER_INTERVAL_MS', '0'],
    ['PRICE_MAX_AGE_DAYS', '3'],
    ['REFRESH', 'on'],
    ['JOURNAL_RETENTION_DAYS', '30'],
    ['JOURNAL_RETENTION_ROWS', '1000000'],
    ['JOB_RETENTION_DAYS', '365'],
    ['EXPOSURE_RETENTION_DAYS', '365'],
    ['PROXY_SET_RETENTION_DAYS', '365'],
    ['MARKET_DATA', 'yahoo'],
    ['YAHOO_BASE_URL', 'none'],
    ['MARKET_DATA_DIR', 'none'],
    ['SIMULATED_SEED', '1'],
    ['SIMULATED_LATENCY_MS', '0'],
    ['SIMULATED_FAULTS', 'none'],
    ['UNVERIFIABLE', 'reject'],
    ['LOG_LEVEL', 'info'],
  ];

  test.each(documented)('lists %s with its default %s and a meaning', (name, fallback) => {
    const line = helpText()
      .split('\n')
      .find((each) => each.trim().startsWith(`${name} `));
    expect(line).toMatch(/ {2}\S.{10,}/);
    expect(line?.endsWith(`[${fallback}]`)).toBe(true);
  });
});

describe('the process', () => {
  const run = (args: string[], environment: Record<string, string> = {}) =>
    spawnSync(process.execPath, ['src/main.ts', ...args], {
      env: { PATH: process.env.PATH ?? '', ...environment },
      encoding: 'utf8',
    });

  test('prints its settings for --help, even wrong ones, and ends well', () => {
    const { status, stdout, stderr } = run(['--help'], { PORT: 'wrong' });
    expect(stdout.trimEnd()).toBe(helpText());
    expect([status, stderr]).toEqual([0, '']);
  });

  test('ends with status 1 and one line for each wrong setting', () => {
    const { status, stdout, stderr } = run([], { PORT: 'wrong', HOST: '0.0.0.0' });
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^PORT: expected/),
      expect.stringMatching(/^HOST: expected/),
    ]);
    expect([status, stdout]).toEqual([1, '']);
  });
});
