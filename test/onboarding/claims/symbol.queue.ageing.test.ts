import { TestClock } from 'pg-boss';
import { beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Database } from '../../../src/database/database.orm.ts';
import { startSymbolQueue } from '../../../src/onboarding/claims/symbol.queue.ts';
import { age, ages } from '../../support/ageing.ts';
import { describeOnEveryDatabase } from '../../support/databases.ts';
import { emptyTables, queueStates, startNode } from '../fixture.ts';

const dayMs = 24 * 60 * 60 * 1000;

describeOnEveryDatabase('the entry of an unclaimed job', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });
  beforeEach(async () => {
    const node = await startNode(database);
    await emptyTables(database);
    await database.sql(
      'update pgboss.queue set monitor_on = null, monitor_claim_on = null, maintain_on = null',
    );
    await node.admit(['WAITS']);
    await node.queue.stop();
  });
  /** As the version before left it: entries, and the queue that makes new ones, keep them for pg-boss's 14 days. */
  const asBefore = async () => {
    await database.sql(
      `update pgboss.queue set retention_seconds = 1209600 where name = 'symbol-onboarding'`,
    );
    await database.sql(`update pgboss.job set keep_until = start_after + interval '14 days'`);
  };
  /** Starts pg-boss at a clock of its own; `sweep` has it look for what has been there for too long. */
  const start = async () => {
    const clock = new TestClock();
    const errors: unknown[] = [];
    const queue = await startSymbolQueue(database, { log: (error) => errors.push(error), clock });
    onTestFinished(() => queue.stop());
    const sweep = async (years = 0) => {
      // It sweeps once a day.
      await clock.setTime(clock.now() + (years * 365.2425 + 1) * dayMs);
      await clock.tick(1);
      const [swept] = await database.sql(
        `select 1 from pgboss.queue where maintain_on = to_timestamp($1::float8 / 1000)`,
        [clock.now() - 1],
      );
      expect([swept !== undefined, errors]).toEqual([true, []]);
    };
    return sweep;
  };

  test.each(ages)('is there after %s', async (by) => {
    await age(database, by);
    const sweep = await start();
    await sweep();
    expect(await queueStates(database)).toEqual({ WAITS: 'created' });
  });

  test('is there after ten years of pg-boss at work, and would be gone had it been kept for less', async () => {
    const sweep = await start();
    await sweep(10);
    expect(await queueStates(database)).toEqual({ WAITS: 'created' });
    await database.sql(`update pgboss.job set keep_until = keep_until - interval '1 year'`);
    await sweep();
    expect(await queueStates(database)).toEqual({});
  });

  test('is there after a start on the database of the version before, which had stood still for a month', async () => {
    await asBefore();
    await age(database, '30 days');
    const sweep = await start();
    await sweep();
    expect(await queueStates(database)).toEqual({ WAITS: 'created' });
    const kept = await database.sql(
      `select retention_seconds / 86400 as queue_days, extract(day from keep_until - start_after)::int as entry_days
       from pgboss.job join pgboss.queue using (name)`,
    );
    expect(kept).toEqual([{ queue_days: 3660, entry_days: 3660 }]);
  });
});
