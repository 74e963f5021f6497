import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { JobDetailView } from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { csvOf, startService, type Uploaded } from '../support/service.ts';

// Rows of unfinished jobs as each version of the machine wrote them, taken from its database: one file per version,
// kept for ever. The last one's holds what this version writes; a change of the row adds a file, and changes none.
const directory = join(import.meta.dirname, 'job-rows');
const versions = readdirSync(directory).map((file) => ({
  version: file.replace('.json', ''),
  rows: JSON.parse(readFileSync(join(directory, file), 'utf8')) as (Record<string, unknown> & {
    id: string;
    symbol: string;
    queue_entry: string;
  })[],
}));

/** What comes of each: how it goes on, whether its history is asked for again, and how it ends. */
const expected: Record<string, { begins: string; attempt?: number; asks?: true; ends: string }> = {
  OLDPEND: { begins: 'pending', asks: true, ends: 'completed complete' },
  OLDCLAIM: { begins: 'pending', asks: true, ends: 'completed complete' },
  OLDFETCH: { begins: 'processing.fetch.waiting', attempt: 2, asks: true, ends: 'completed complete' },
  OLDBACK: { begins: 'processing.fetch.backingOff', attempt: 3, asks: true, ends: 'completed complete' },
  OLDWAIT: { begins: 'processing.factors.waiting', attempt: 2, ends: 'completed complete' },
  OLDFACT: { begins: 'processing.factors.waiting', ends: 'completed complete' },
  OLDDEGR: { begins: 'processing.factors.waiting', ends: 'completed partial' },
  OLDUNI: { begins: 'processing.universe.waiting', ends: 'completed complete' },
  OLDSNAP: { begins: 'processing.snapshot.waiting', ends: 'completed partial' },
  OLDCACHE: { begins: 'processing.cache.waiting', ends: 'completed complete' },
  OLDSTOP: { begins: 'cancelled', ends: 'cancelled' },
  OLDTIRED: { begins: 'failed', ends: 'failed resume_limit_exceeded' },
};

/** Everything that a job of that row had done: its symbol's prices, exposures and lots. */
async function asItWas(database: Database, symbols: string[]): Promise<string> {
  const service = await startService(database);
  const { body } = await service.upload<Uploaded>(csvOf(...symbols));
  await service.settled(body.portfolio_id);
  await service.app.close();
  await database.sql('delete from onboarding_transitions');
  await database.sql('delete from onboarding_jobs');
  return body.portfolio_id;
}

async function putBack(database: Database, rows: (typeof versions)[number]['rows']): Promise<void> {
  for (const row of rows) {
    const columns = Object.keys(row).map((name) => `"${name}"`);
    await database.sql(
      `insert into onboarding_jobs (${columns.join(', ')})
       select ${columns.join(', ')} from jsonb_populate_record(null::onboarding_jobs, $1::jsonb)`,
      [JSON.stringify(row)],
    );
    await database.sql(
      `insert into pgboss.job (id, name, data, singleton_key, policy, retry_limit, heartbeat_seconds, expire_seconds)
       select $1::uuid, name, $2::jsonb, $3, policy, retry_limit, heartbeat_seconds, expire_seconds
       from pgboss.queue where name = 'symbol-onboarding'`,
      [row.queue_entry, JSON.stringify({ jobId: row.id, symbol: row.symbol }), row.symbol],
    );
  }
}

const outcomeOf = ({ status, outcome, error }: JobDetailView) =>
  [status, status === 'completed' ? outcome : status === 'failed' ? error?.code : null]
    .filter(Boolean)
    .join(' ');

describe.each(versions)('job rows of $version', ({ rows }) => {
  test('hold every state in which a job can be left', () => {
    expect(rows.map(({ symbol }) => symbol).sort()).toEqual(Object.keys(expected).sort());
  });

  describeOnEveryDatabase('resume', (makeDatabase) => {
    let database: Database;
    beforeAll(async () => {
      database = await makeDatabase();
    });

    test('where they were, do nothing again that was done, and end as they would have', {
      timeout: 180_000, // a service twice, with a dozen jobs each time
    }, async () => {
      const symbols = rows.map(({ symbol }) => symbol);
      const portfolio = await asItWas(database, symbols);
      await putBack(database, rows);

      const service = await startService(database);
      await service.settled(portfolio);

      const jobs = await Promise.all(symbols.map((symbol) => service.job(symbol)));
      const { histories } = service.app.provider.requests();
      const seen = jobs.map((job) => {
        const [first] = job.timeline;
        const attempt = first!.attempt > 1 ? { attempt: first!.attempt } : {};
        const asks = histories[job.symbol] ? { asks: true } : {};
        return [job.symbol, { begins: first!.to, ...attempt, ...asks, ends: outcomeOf(job) }];
      });
      expect(Object.fromEntries(seen)).toEqual(expected);
      for (const [index, { symbol, timeline, resumes }] of jobs.entries()) {
        const { sequence } = rows[index] as unknown as { sequence: number };
        expect(timeline.map((one) => one.sequence)).toEqual(timeline.map((_, n) => sequence + n + 1));
        expect([symbol, resumes]).toEqual([symbol, { OLDTIRED: 6, OLDSTOP: 1 }[symbol] ?? 0]);
      }
    });
  });
});
