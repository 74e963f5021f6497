import { beforeAll, expect, test } from 'vitest';
import type { Database } from '../src/database/database.orm.ts';
import { systemClock } from '../src/kernel/system.clock.ts';
import { parseFaults } from '../src/market/simulated/faults.ts';
import { simulatedProvider } from '../src/market/simulated/simulated.provider.ts';
import { replayCommand, replayJob } from '../src/replay-job.ts';
import { describeOnDatabase } from './support/databases.ts';
import { gatedProvider } from './support/gates.ts';
import { csvOf, startService, type Uploaded } from './support/service.ts';

const market = (faults = '') =>
  gatedProvider(simulatedProvider({ clock: systemClock, faults: parseFaults(faults), throttleMs: 5 }));

describeOnDatabase('postgres', 'npm run replay', (makeDatabase) => {
  let database: Database;
  const replayed = async (...names: string[]) => {
    const lines: string[] = [];
    const environment = { DATABASE_URL: database.databaseUrl!, MARKET_DATA: 'simulated' };
    const exit = await replayCommand(names, environment, (line) => lines.push(line));
    return { exit, lines, last: lines.at(-1) };
  };

  beforeAll(async () => {
    database = await makeDatabase();
  });

  test('agrees with every job that was interrupted, throttled, degraded, retried or cancelled', {
    timeout: 180_000,
  }, async () => {
    // Interrupted, throttled, failed and retried, partial and retried, cancelled.
    const before = market('CUT=timeout:1,SLOW=429:2,TLT=500:1,GONE=timeout');
    const first = await startService(database, { provider: before, settings: { SHUTDOWN_GRACE_MS: '0' } });
    const cut = before.hold('CUT', { after: 1 });
    await first.upload(csvOf('CUT'));
    await cut.reached;
    await first.app.close();
    const provider = market('SLOW=429:2,TLT=500:1,GONE=timeout');
    const second = await startService(database, { provider });
    const { body } = await second.upload<Uploaded>(csvOf('CUT', 'SLOW', 'GONE', 'NEW13'));
    await second.settled(body.portfolio_id);
    const held = provider.hold('STOPPED');
    await second.upload(csvOf('STOPPED'));
    await held.reached;
    for (const [symbol, what] of [
      ['GONE', 'retry'],
      ['NEW13', 'retry'],
      ['STOPPED', 'cancel'],
    ] as const) {
      const seen = second.transitions.at(-1)!.position;
      await second.post(`/onboarding/jobs/${(await second.job(symbol)).job_id}/${what}`);
      const ends = ['completed', 'failed', 'cancelled'];
      await second.transition((one) => one.symbol === symbol && one.position > seen && ends.includes(one.to));
    }
    await second.app.close();

    const jobs = await database.sql<{ id: string; symbol: string }>('select id, symbol from onboarding_jobs');
    expect(jobs.map(({ symbol }) => symbol).sort()).toEqual(['CUT', 'GONE', 'NEW13', 'SLOW', 'STOPPED']);
    for (const { id } of jobs) {
      const lines: string[] = [];
      expect(await replayJob(database, id, (line) => lines.push(line)), lines.join('\n')).toBe(0);
    }
    const { exit, lines, last } = await replayed('cut');
    expect([exit, last]).toEqual([0, 'The journal agrees with the machine.']);
    expect(lines[0]).toMatch(/^CUT, job [0-9a-f-]{36}: \d+ transitions, machine version 1$/);
    expect(lines.filter((line) => line.endsWith('agrees'))).toHaveLength(lines.length - 2);
    expect(lines.some((line) => line.includes('resumed'))).toBe(true);
  });

  test('names the first transition that the machine would not have made', async () => {
    await database.sql(
      `update onboarding_transitions set actor_snapshot = jsonb_set(actor_snapshot, '{context,attempt}', '7')
       where symbol = 'SLOW' and sequence = 4`,
    );
    const { exit, last } = await replayed('SLOW');
    expect(exit).toBe(1);
    expect(last).toBe(
      'The journal differs from the machine, first at transition 4: expected context.attempt 1, got: 7 (provider_throttled).',
    );
  });

  test('says what it takes, and what it cannot tell', async () => {
    expect((await replayed()).lines[0]).toContain('Usage: npm run replay -- JOB');
    expect(await replayed('NEVER')).toMatchObject({ exit: 2, last: expect.stringContaining('got: NEVER') });
    await database.sql(`update onboarding_transitions set trace = null where symbol = 'GONE'`);
    expect(await replayed('GONE')).toMatchObject({ exit: 2, last: expect.stringContaining('transition 2') });
    const nowhere = { DATABASE_URL: 'postgres://127.0.0.1:1/none', MARKET_DATA: 'simulated' };
    expect(await replayCommand(['GONE'], nowhere, () => {})).toBe(2);
    expect(await replayCommand(['GONE'], { DATA_DIR: '/nowhere/at/all' }, () => {})).toBe(2);
  });
});
