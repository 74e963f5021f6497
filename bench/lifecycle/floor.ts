import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import pg from 'pg';
import { openDatabase } from '../../src/open-database.ts';
import { contend } from '../support/contestant.ts';
import type { Load } from './load.ts';

// What the same promise costs at the very least when each job is served by a connection of its own: one claim and
// seven commits of one row each, on the service's own table of jobs, with its indexes and without everything else
// (no journal, no feed, no queue, no machine). The claim is one statement, so a job is eight round trips.

await contend<Load>(async (url) => {
  const database = await openDatabase({ databaseUrl: url, dataDir: null, fsync: false });
  await database.migrate();
  await database.close();
  const admin = new pg.Pool({ connectionString: url, max: 1 });
  return {
    async run({ jobs, concurrency }) {
      await seed(admin, jobs);
      const pool = new pg.Pool({ connectionString: url, max: concurrency });
      const clients = await Promise.all(Array.from({ length: concurrency }, () => pool.connect()));
      const begin = performance.now();
      await Promise.all(clients.map(work));
      const ms = performance.now() - begin;
      for (const client of clients) client.release();
      await pool.end();
      const { rows } = await admin.query(
        `select count(*)::int as done from onboarding_jobs where status = 'completed' and sequence = 9`,
      );
      assert.equal(rows[0].done, jobs);
      return ms;
    },
    close: () => admin.end(),
  };
});

async function seed(admin: pg.Pool, jobs: number): Promise<void> {
  await admin.query('truncate onboarding_jobs cascade');
  const ids = Array.from({ length: jobs }, () => randomUUIDv7());
  await admin.query(
    `insert into onboarding_jobs (id, symbol, reason, status, state, phase, sequence, machine_version)
     select id, 'SYM' || n, 'upload', 'pending', 'pending', 'fetch', 1, 1
     from unnest($1::uuid[]) with ordinality as job(id, n)`,
    [ids],
  );
  await admin.query('vacuum analyze onboarding_jobs');
  await admin.query('checkpoint');
}

const claim = {
  name: 'claim',
  text: `update onboarding_jobs set claim_epoch = claim_epoch + 1, node = 'floor', sequence = sequence + 1
         where id = (select id from onboarding_jobs where status = 'pending' and node is null order by id limit 1
                     for update skip locked)
         returning id`,
};

const step = {
  name: 'step',
  text: `update onboarding_jobs set status = $2, state = $3, phase = $4, sequence = sequence + 1, updated_at = now()
         where id = $1 and claim_epoch = 1`,
};

const steps = [
  ['processing', 'processing.fetch.waiting', 'fetch'],
  ['processing', 'processing.fetch.running', 'fetch'],
  ['processing', 'processing.factors.running', 'factors'],
  ['processing', 'processing.universe.running', 'universe'],
  ['processing', 'processing.snapshot.running', 'snapshot'],
  ['processing', 'processing.cache.running', 'cache'],
  ['completed', 'completed', 'cache'],
];

async function work(client: pg.PoolClient): Promise<void> {
  for (;;) {
    const { rows } = await client.query(claim);
    if (rows.length === 0) return;
    for (const values of steps) await client.query({ ...step, values: [rows[0].id, ...values] });
  }
}
