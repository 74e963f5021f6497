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

  test('prefetches the whole depth when embedded and nothing in a cluster, unless set', () => {
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
    [{ PORT: 'abc' }, 'Invalid PORT "abc". Allowed: a whole number from 0 to 65535.'],
    [{ PORT: '65536' }, 'Invalid PORT "65536". Allowed: a whole number from 0 to 65535.'],
    [{ PORT: '-1' }, 'Invalid PORT "-1". Allowed: a whole number from 0 to 65535.'],
    [
      { ONBOARDING_QUEUE_DEPTH: '0' },
      'Invalid ONBOARDING_QUEUE_DEPTH "0". Allowed: a whole number from 1 to 100000.',
    ],
    [
      { ONBOARDING_CONCURRENCY: '2.5' },
      'Invalid ONBOARDING_CONCURRENCY "2.5". Allowed: a whole number from 1 to 200.',
    ],
    [{ FSYNC: 'yes' }, 'Invalid FSYNC "yes". Allowed: on, off.'],
    [
      { LOG_LEVEL: 'loud' },
      'Invalid LOG_LEVEL "loud". Allowed: fatal, error, warn, info, debug, trace, silent.',
    ],
    [
      { YAHOO_BASE_URL: 'localhost:8080' },
      'Invalid YAHOO_BASE_URL "localhost:8080". Allowed: a URL that begins with http:// or https://.',
    ],
    [{ MARKET_DATA: 'bloomberg' }, 'Invalid MARKET_DATA "bloomberg". Allowed: yahoo, files, simulated.'],
    [{ MARKET_DATA: 'yahoo,yahoo' }, 'Invalid MARKET_DATA "yahoo,yahoo". Name each provider once.'],
    [
      { MARKET_DATA: 'yahoo,simulated' },
      'Invalid MARKET_DATA "yahoo,simulated". Use simulated alone: it must not fill gaps in real prices.',
    ],
    [
      { RETRY_BASE_MS: '500', RETRY_MAX_MS: '400' },
      'RETRY_BASE_MS 500 is greater than RETRY_MAX_MS 400. Lower RETRY_BASE_MS or raise RETRY_MAX_MS.',
    ],
    [
      { RETRY_MAX_MS: '400' },
      'RETRY_BASE_MS 1000 is greater than RETRY_MAX_MS 400. Lower RETRY_BASE_MS or raise RETRY_MAX_MS.',
    ],
    [
      { SIMULATED_FAULTS: 'AAPL' },
      'Invalid SIMULATED_FAULTS "AAPL". Allowed: faults as symbol=kind or symbol=kind:count, kind one of timeout, 429, ' +
        '500, empty, lookup-timeout, lookup-429, lookup-500, count at least 1.',
    ],
  ])('%j is one line', (environment, line) => {
    expect(problemsOf(environment as Record<string, string>)).toEqual([line]);
  });

  test('lists every wrong setting at once', () => {
    const lines = problemsOf({ PORT: 'x', LOG_LEVEL: 'loud', HOST: '0.0.0.0', RETRY_LIMIT: 'many' });
    expect(lines.map((line) => /[A-Z_]{4,}/.exec(line)?.[0])).toEqual([
      'PORT',
      'RETRY_LIMIT',
      'LOG_LEVEL',
      'HOST',
    ]);
    for (const line of lines) expect(line).not.toContain('\n');
  });

  test('reads providers in order, and wants a directory exactly where files is one of them', () => {
    const both = { MARKET_DATA: 'yahoo, files', MARKET_DATA_DIR: './bars' };
    expect(configOf(both).marketData).toMatchObject({ providers: ['yahoo', 'files'], directory: './bars' });
    expect(problemsOf({ MARKET_DATA: 'files' })).toEqual([
      'Missing MARKET_DATA_DIR. MARKET_DATA includes files: set MARKET_DATA_DIR to the directory of the price files.',
    ]);
    expect(problemsOf({ MARKET_DATA_DIR: './bars' })).toEqual([
      'MARKET_DATA_DIR "./bars" has no effect unless MARKET_DATA includes files. ' +
        'Add files to MARKET_DATA, or unset MARKET_DATA_DIR.',
    ]);
  });

  test('listens on loopback only while there are no tokens', () => {
    for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '::1']) {
      expect(isLoopback(host)).toBe(true);
      expect(configOf({ HOST: host }).host).toBe(host);
    }
    for (const host of ['0.0.0.0', '::', '192.168.1.2', '127.0.0.1.example.com', 'example.com']) {
      expect(problemsOf({ HOST: host })).toEqual([
        `HOST "${host}" is open to other machines, but AUTH_TOKENS is not set. ` +
          'Set AUTH_TOKENS, or use a loopback address like 127.0.0.1.',
      ]);
    }
  });

  test.each(['DATA_DIR', 'FSYNC'])('refuses %s beside DATABASE_URL, where it would do nothing', (name) => {
    const value = name === 'FSYNC' ? 'off' : './elsewhere';
    const lines = problemsOf({ DATABASE_URL: 'postgres://localhost/x', [name]: value });
    expect(lines).toEqual([
      `${name} "${value}" has no effect with DATABASE_URL. Unset ${name}: it is for the embedded database.`,
    ]);
  });

  test('never shows a secret, not even a wrong one', () => {
    const lines = problemsOf({ DATABASE_URL: 'mysql://me:hunter2@db/x', AUTH_TOKENS: 'ann:user:hunter2' });
    expect(lines).toHaveLength(2);
    expect(lines.join()).not.toContain('hunter2');
  });

  test('names a misspelt setting instead of running without it', () => {
    expect(problemsOf({ ONBOARDING_CONCURENCY: '8', PATH: '/bin' })).toEqual([
      'Unknown setting ONBOARDING_CONCURENCY. Did you mean ONBOARDING_CONCURRENCY?',
    ]);
  });

  test.each([
    [{ RATE_LIMIT: '0' }, 'Unknown setting RATE_LIMIT. Did you mean RATE_LIMIT_PER_MINUTE?'],
    [{ RETRY_MAX_S: '3' }, 'Unknown setting RETRY_MAX_S. Did you mean RETRY_MAX_MS?'],
    [{ RETRY_FOREVER: '1' }, 'Unknown setting RETRY_FOREVER. See --help for all settings.'],
    [
      { ONBOARDING_QUEUE_DEPHT: '9' },
      'Unknown setting ONBOARDING_QUEUE_DEPHT. Did you mean ONBOARDING_QUEUE_DEPTH?',
    ],
    [{ AUTH_TOKEN: 'ann-and-her-secret' }, 'Unknown setting AUTH_TOKEN. Did you mean AUTH_TOKENS?'],
  ])('suggests the right name for %j', (environment, line) => {
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

  test('quotes a value without the characters that a terminal would obey', () => {
    const [line = ''] = problemsOf({ PORT: `\u001b[31m${'9'.repeat(500)}` });
    expect(line).not.toContain('\u001b');
    expect(line.length).toBeLessThan(200);
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
      expect.stringMatching(/^Invalid PORT/),
      expect.stringMatching(/^HOST "0.0.0.0"/),
    ]);
    expect([status, stdout]).toEqual([1, '']);
  });
});
