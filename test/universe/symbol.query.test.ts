import { expect, test } from 'vitest';
import { systemClock } from '../../src/kernel/system.clock.ts';
import { symbolQueries } from '../../src/universe/symbol.query.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { recordStatements } from '../support/statements.ts';

describeOnEveryDatabase('the statuses of symbols', (makeDatabase) => {
  test('estimate each wait by its place in the queue, in as many statements for 3,000 as for three', async () => {
    const { database, statements } = recordStatements(await makeDatabase());
    await database.sql(
      `insert into onboarding_jobs (id, symbol, reason, status, state, phase, machine_version)
       select ('01900000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid, 'S' || i, 'upload', status, status,
         'fetch', 1
       from (select i, case i % 3 when 0 then 'processing' when 1 then 'pending' else 'completed' end as status
         from generate_series(1, 4500) i) jobs`,
    );
    // Each of a job's phases takes a fifth of a second, so a job takes one.
    await database.sql(
      `insert into onboarding_transitions (job_id, sequence, position, symbol, from_state, to_state, event, attempt,
         claim_epoch, duration_ms)
       select id, n, n, symbol, 'processing.' || phase || '.running', 'completed', phase || '.done', 1, 1, 200
       from (select id, symbol from onboarding_jobs where status = 'completed' limit 1) job
         cross join unnest(array['fetch', 'factors', 'universe', 'snapshot', 'cache']) with ordinality p(phase, n)`,
    );
    const { statuses } = symbolQueries(database, { concurrency: 1, retryLimit: 3, clock: systemClock });
    const unfinished = Array.from({ length: 4500 }, (_, index) => index + 1).filter((i) => i % 3 !== 2);
    const estimates = async (numbers: readonly number[]) => {
      statements.length = 0;
      const found = await statuses(numbers.map((i) => `S${i}`));
      return found.map(({ estimated_seconds }) => estimated_seconds);
    };
    const expected = (i: number) => (i % 3 === 0 ? 1 : unfinished.indexOf(i) + 1);

    expect(await estimates([4, 3001, 6])).toEqual([4, 3001, 6].map(expected));
    expect(await estimates([3001, 4, 6])).toEqual([3001, 4, 6].map(expected));
    const few = statements.length;
    expect(await estimates(unfinished)).toEqual(unfinished.map(expected));
    expect(statements.length).toBe(few);
    // Nobody waits: nobody counts.
    expect(await estimates([6])).toEqual([1]);
    expect(statements.length).toBe(few - 1);
  });
});
