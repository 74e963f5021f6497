import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import {
  cancellationSchema,
  jobDetailSchema,
  jobsSchema,
  overviewSchema,
  portfolioSchema,
  problemSchema,
  symbolStatusesSchema,
  uploadedSchema,
} from '../src/contract/schemas.ts';
import type { Database } from '../src/database/database.orm.ts';
import { systemClock } from '../src/kernel/system.clock.ts';
import { simulatedProvider } from '../src/market/simulated/simulated.provider.ts';
import { withoutSockets } from './support/answering.ts';
import { command, documents, startCommand } from './support/command.ts';
import { describeOnDatabase } from './support/databases.ts';
import { temporaryDirectory } from './support/directories.ts';
import { gatedProvider } from './support/gates.ts';
import { csvOf, startService, type TestServiceOptions } from './support/service.ts';
import { authTokens, tokenOf } from './support/tokens.ts';

const errorSchema = z.strictObject({
  type: z.literal('error'),
  code: z.string(),
  message: z.string(),
  exit_code: z.int(),
  problem: problemSchema.nullable(),
});
const progressSchema = z.strictObject({
  type: z.literal('progress'),
  symbol: z.string(),
  status: z.string(),
  phase: z.string().nullable(),
  attempt: z.int(),
});
const resultSchema = z.strictObject({
  type: z.literal('result'),
  portfolio: portfolioSchema,
  failed: z.array(z.strictObject({ symbol: z.string(), status: z.string(), message: z.string() })),
});

function fileOf(csv: string, name = 'My holdings.csv'): string {
  const file = join(temporaryDirectory(), name);
  writeFileSync(file, csv);
  return file;
}

describeOnDatabase('pglite', 'symbol-onboarding', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  const start = async (options: TestServiceOptions = {}) => {
    const service = await startService(database, options);
    const words = (...given: string[]) => ['--url', service.url, ...given];
    return {
      ...service,
      run: (...given: string[]) => command(words(...given)),
      begin: (...given: string[]) => startCommand(words(...given)),
    };
  };
  const held = () => gatedProvider(simulatedProvider({ clock: systemClock }));

  test('watches an upload to its end, in plain lines where nobody looks at a terminal', async () => {
    const { run, get } = await start();
    const { code, out, err } = await run('upload', fileOf(csvOf('ONE', 'TWO')), '--watch');
    expect({ code, err }).toEqual({ code: 0, err: [] });
    expect(out.filter((line) => line.startsWith('  ONE: ')).at(-1)).toBe('  ONE: completed');
    expect(out.filter((line) => line.startsWith('  TWO: ')).at(-1)).toBe('  TWO: completed');
    expect(out.find((line) => line.startsWith('  priced lots'))).toMatch(/ 0 +2$/);
    expect(out.join('\n')).not.toContain('\u001b');
    const { body } = await get<{ portfolios: { name: string; status: string }[] }>('/portfolios');
    expect(body.portfolios).toMatchObject([{ name: 'My holdings', status: 'ready' }]);
  });

  test('tells each step as a line of JSON, and ends with 1 when a symbol failed', async () => {
    const { run } = await start({ faults: 'GONE=empty' });
    const { code, out } = await run('upload', fileOf(csvOf('HERE', 'GONE')), '--watch', '--json');
    expect(code).toBe(1);
    const [first, ...rest] = documents(out);
    expect(uploadedSchema.extend({ type: z.literal('uploaded') }).parse(first)).toMatchObject({
      pending_symbols: ['GONE', 'HERE'],
    });
    const steps = rest.slice(0, -1).map((step) => progressSchema.parse(step));
    expect(steps.filter(({ status }) => status === 'failed').map(({ symbol }) => symbol)).toEqual(['GONE']);
    const { failed, portfolio } = resultSchema.parse(rest.at(-1));
    expect(failed).toEqual([{ symbol: 'GONE', status: 'failed', message: expect.stringContaining('price') }]);
    expect(portfolio.snapshot).toMatchObject({ position_count: 1, pending_count: 0 });
  });

  test('reads the portfolio to the end where no live feed can be had', async () => {
    const { url } = await start();
    const { code, out } = await command(['--url', await withoutSockets(url), 'upload', '-', '--watch'], {
      input: csvOf('DEAF'),
    });
    expect(code).toBe(0);
    expect(out).toContain('  DEAF: completed');
  });

  test('shows every wrong row in a table on standard error, and ends with 1', async () => {
    const { run } = await start();
    const wrong = fileOf(`${csvOf('AAPL')}\nMSFT,many,-1,2025-01-02`);
    const people = await run('upload', wrong);
    expect({ code: people.code, out: people.out }).toEqual({ code: 1, out: [] });
    expect(people.err[0]).toMatch(/Nothing was saved/);
    const rows = people.err.filter((line) => /^ {2}3 /.test(line));
    expect(rows).toEqual([
      expect.stringMatching(/Quantity +many +ERR_POS_005 +The quantity/),
      expect.stringMatching(/Entry Price Per Share +-1 +ERR_POS_010 +The entry price/),
    ]);
    const scripts = await run('upload', wrong, '--json');
    expect({ code: scripts.code, err: scripts.err }).toEqual({ code: 1, err: [] });
    expect(errorSchema.parse(documents(scripts.out)[0])).toMatchObject({
      code: 'invalid_rows',
      exit_code: 1,
      problem: {
        errors: [
          { row: 3, value: 'many' },
          { row: 3, value: '-1' },
        ],
      },
    });
  });

  test('asks as whom its token says, over the live feed too; a stranger and a mere user end with 4', async () => {
    const { url } = await start({ settings: { AUTH_TOKENS: authTokens } });
    const as = (token: string, ...words: string[]) =>
      command(['--url', url, ...words], { env: { SYMBOL_ONBOARDING_TOKEN: token } });
    const { code, err } = await as(tokenOf('ann'), 'upload', fileOf(csvOf('ANNS')), '--watch');
    expect({ code, err }, 'no word of a lost feed').toEqual({ code: 0, err: [] });
    expect(await as('wrong', 'jobs')).toMatchObject({ code: 4, out: [] });
    expect(await command(['--url', url, 'jobs'])).toMatchObject({ code: 4, out: [] });
    const pause = await as(tokenOf('bob'), 'pause', '--json');
    expect({ code: pause.code, said: documents(pause.out) }).toMatchObject({
      code: 4,
      said: [{ code: 'operators_only', exit_code: 4 }],
    });
    expect(await as(tokenOf('olga'), 'resume')).toMatchObject({ code: 0 });
  });

  test('ends with 5 while the queue is full, and says when to try again', async () => {
    const provider = held();
    const gate = provider.hold('SLOW');
    const settings = { ONBOARDING_QUEUE_DEPTH: '1', SHUTDOWN_GRACE_MS: '0' };
    const { run, upload, settled } = await start({ provider, settings });
    const first = await upload<{ portfolio_id: string }>(csvOf('SLOW'));
    await gate.reached;
    const { code, err } = await run('upload', fileOf(csvOf('LATE')));
    expect(code).toBe(5);
    expect(err.join('\n')).toMatch(/Try again in \d+ s\./);
    gate.open();
    await settled(first.body.portfolio_id);
  });

  test('ends with 130 at Ctrl-C, and says that the onboarding continues', async () => {
    const provider = held();
    const gate = provider.hold('LONG');
    const { begin, settled } = await start({ provider });
    const watching = begin('upload', fileOf(csvOf('LONG')), '--watch');
    await watching.line(/LONG: fetch/);
    watching.child.kill('SIGINT');
    const { code, signal, out, err } = await watching.closed;
    expect({ code, signal }).toEqual({ code: 130, signal: null });
    expect(err).toEqual([expect.stringMatching(/its onboarding continues: symbol-onboarding status LONG/)]);
    gate.open();
    const [, id] = /portfolio (\S+):/.exec(out[0]!)!;
    await settled(id!);
  });

  test('asks, cancels, retries, pauses and resumes; a job by its id or its symbol', async () => {
    const provider = held();
    const gate = provider.hold('BUSY');
    const { run, upload, transition } = await start({ provider, settings: { ONBOARDING_CONCURRENCY: '1' } });
    const json = async <T>(schema: z.ZodType<T>, ...words: string[]): Promise<T> => {
      const { code, out, err } = await run(...words, '--json');
      expect({ code, lines: out.length, err }).toEqual({ code: 0, lines: 1, err: [] });
      return schema.parse(JSON.parse(out[0]!));
    };
    expect(await json(overviewSchema, 'pause')).toMatchObject({ paused: true });
    expect(await json(overviewSchema, 'resume')).toMatchObject({ paused: false });
    await upload(csvOf('BUSY'));
    await gate.reached;

    const { symbols } = await json(symbolStatusesSchema, 'status', 'busy', 'NOBODY');
    expect(symbols.map(({ symbol, status }) => [symbol, status])).toEqual([
      ['BUSY', 'processing'],
      ['NOBODY', 'unknown'],
    ]);
    const { jobs } = await json(jobsSchema, 'jobs', '--symbol', 'busy', '--status', 'pending,processing');
    expect(jobs).toMatchObject([{ symbol: 'BUSY', phase: 'fetch' }]);
    const id = jobs[0]!.job_id;
    expect(await json(jobDetailSchema, 'jobs', 'BUSY')).toMatchObject({ job_id: id });
    expect(await json(cancellationSchema, 'cancel', 'BUSY')).toMatchObject({ job_id: id });
    await transition(({ symbol, to }) => symbol === 'BUSY' && to === 'cancelled');

    const refused = await run('cancel', id);
    expect(refused.code).toBe(1);
    expect(refused.err[0]).toMatch(/The job is cancelled\. Only pending and processing/);
    const nobody = await run('retry', 'NOBODY');
    expect(nobody).toMatchObject({
      code: 1,
      err: [expect.stringMatching(/^No job found for "NOBODY"\. Use the id of a job/)],
    });
    const all = await json(jobsSchema, 'jobs', '--all', '--limit', '1');
    expect(all.jobs.length).toBeGreaterThan(1);
    expect(all.next_cursor).toBeNull();
  });

  test('retries a failed job, which then completes', async () => {
    const { run, upload, settled, transition } = await start({ faults: 'MENDED=500:4' });
    const { body } = await upload<{ portfolio_id: string }>(csvOf('MENDED'));
    expect(await settled(body.portfolio_id)).toMatchObject({ status: 'error' });
    const { code, out } = await run('retry', 'MENDED');
    expect({ code, out }).toEqual({
      code: 0,
      out: [expect.stringMatching(/^Retrying MENDED at phase fetch: job /)],
    });
    await transition(({ symbol, to }) => symbol === 'MENDED' && to === 'completed');
  });
});
