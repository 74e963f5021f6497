import assert from 'node:assert/strict';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import type { Database } from '../../../src/database/database.orm.ts';
import type { TakenClaim } from '../../../src/onboarding/job/ports.ts';
import { reconcilerStore } from '../../../src/onboarding/upkeep/reconciler.store.ts';
import { random } from '../../machines/harness.ts';
import { describeOnEveryDatabase } from '../../support/databases.ts';
import { emptyTables, holesIn, journalOf, recordOf, startNode, type TestNode } from '../fixture.ts';

const symbols = ['A', 'B', 'C', 'D', 'E', 'F'];
const depthMax = 4;
const resumeLimit = 2;
const walk = ['fetch', 'factors', 'universe', 'snapshot', 'cache'].map(
  (phase) => `processing.${phase}.running`,
);
const steps = [...walk, 'completed'];

/** What a symbol's newest job must be, by what was done to it. */
interface Job {
  id: string;
  status: 'pending' | 'processing' | 'completed' | 'failed' | 'cancelled';
  step: number;
  epoch: number;
  resumes: number;
  isHeld: boolean;
  /** Its row has an owner: one that holds it, or one that died. */
  isOwned: boolean;
  isToBeCancelled: boolean;
}
type Model = Map<string, Job>;
interface Real {
  node: TestNode;
  database: Database;
  held: Map<string, TakenClaim>;
  stale: TakenClaim[];
}
type Command = fc.AsyncCommand<Model, Real>;

const isOpen = ({ status }: Job) => status === 'pending' || status === 'processing';
const open = (model: Readonly<Model>) => [...model.values()].filter(isOpen);

/** After each command the database says what the model does. */
async function agrees(model: Model, { database, node }: Real): Promise<void> {
  const rows = await database.sql<{ symbol: string; status: string; n: number }>(
    `select symbol, (array_agg(status order by id desc))[1] as status,
       count(*) filter (where status in ('pending', 'processing'))::int as n
     from onboarding_jobs group by symbol order by symbol`,
  );
  const expected = [...model].map(([symbol, job]) => ({
    symbol,
    status: job.status,
    n: Number(isOpen(job)),
  }));
  assert.deepEqual(
    rows,
    expected.sort((a, b) => (a.symbol < b.symbol ? -1 : 1)),
  );
  assert.ok(open(model).length <= depthMax);
  const { findings } = reconcilerStore(database, { queue: node.queue, node: 'node-1' });
  assert.deepEqual(await findings(), { lost: [], idle: [] });
}

const command = (
  name: string,
  check: (model: Readonly<Model>) => boolean,
  run: (model: Model, real: Real) => Promise<void>,
): Command => ({
  check,
  async run(model, real) {
    await run(model, real);
    await agrees(model, real);
  },
  toString: () => name,
});

const submit = (wanted: string[]) =>
  command(
    `submit ${wanted}`,
    () => true,
    async (model, { node }) => {
      const needed = wanted.filter((symbol) => !model.has(symbol) || !isOpen(model.get(symbol)!));
      const answer = await node.admit(wanted);
      if (open(model).length + needed.length > depthMax) return assert.equal(answer.kind, 'queue_full');
      assert.ok(answer.kind === 'admitted');
      for (const { symbol, jobId } of answer.jobs) {
        if (!needed.includes(symbol)) assert.equal(jobId, model.get(symbol)!.id);
        else {
          const fresh = {
            step: -1,
            epoch: 0,
            resumes: 0,
            isHeld: false,
            isOwned: false,
            isToBeCancelled: false,
          };
          model.set(symbol, { id: jobId, status: 'pending', ...fresh });
        }
      }
    },
  );

const claim = (room: number) =>
  command(
    `claim ${room}`,
    () => true,
    async (model, { node, held, database }) => {
      const free = open(model).filter((job) => !job.isHeld);
      const taken = new Map((await node.jobs.claim(room)).map((one) => [one.claim.symbol, one]));
      const rows = await database.sql<{ symbol: string; claim_epoch: number }>(
        'select symbol, claim_epoch from onboarding_jobs where id = any($1::uuid[])',
        [free.map(({ id }) => id)],
      );
      const touched = rows.filter(({ symbol, claim_epoch: epoch }) => epoch > model.get(symbol)!.epoch);
      assert.equal(touched.length, Math.min(room, free.length));
      for (const { symbol } of touched) {
        const job = model.get(symbol)!;
        job.epoch += 1;
        if (job.isOwned && job.status === 'processing') job.resumes += 1;
        const end = job.isToBeCancelled ? 'cancelled' : job.resumes > resumeLimit ? 'failed' : null;
        assert.equal(taken.has(symbol), end === null);
        if (end !== null) Object.assign(job, { status: end, isOwned: false });
        else {
          const { progress, claim: own } = taken.get(symbol)!;
          assert.deepEqual([own.epoch, progress.resumes], [job.epoch, job.resumes]);
          assert.equal(progress.phase, (steps[Math.max(0, job.step)] ?? '').split('.')[1]);
          Object.assign(job, { isHeld: true, isOwned: true });
          held.set(symbol, taken.get(symbol)!);
        }
      }
    },
  );

/** One of those symbols for which there is something to do. */
const among = (model: Readonly<Model>, nth: number, which: (job: Job) => boolean = () => true) => {
  const all = [...model].filter(([, job]) => which(job)).map(([symbol]) => symbol);
  return all[nth % Math.max(1, all.length)];
};
const writable = (to: string) => (job: Job) => job.isHeld && (to !== 'cancelled' || job.isToBeCancelled);

/** What its holder writes next: a phase done, its end. */
const write = (nth: number, to: 'next' | 'failed' | 'cancelled') =>
  command(
    `${to} ${nth}`,
    (model) => among(model, nth, writable(to)) !== undefined,
    async (model, { node, held }) => {
      const symbol = among(model, nth, writable(to))!;
      const job = model.get(symbol)!;
      const taken = held.get(symbol)!;
      const step = to === 'next' ? job.step + 1 : job.step;
      const state = to === 'next' ? steps[step]! : to;
      const [, phase = 'fetch'] = (steps[Math.min(Math.max(0, step), walk.length - 1)] ?? '').split('.');
      const resumes = to === 'next' && job.step >= 0 ? 0 : job.resumes;
      const outcome = state === 'completed' ? ('complete' as const) : null;
      const record = recordOf(taken, state, {
        job: { phase: phase as 'fetch', resumes, outcome },
      });
      await node.journal.commit([record]);
      Object.assign(taken, { sequence: record.sequence, state });
      const status = record.job.status;
      const isHeld = status === 'processing';
      Object.assign(job, { status, step, resumes, isHeld, isOwned: isHeld });
      if (!isHeld) held.delete(symbol);
    },
  );

const cancel = (nth: number) =>
  command(
    `cancel ${nth}`,
    (model) => model.size > 0,
    async (model, { node }) => {
      const job = model.get(among(model, nth)!)!;
      const { kind } = await node.operations.cancel(job.id);
      assert.equal(kind, !isOpen(job) ? 'not_cancellable' : job.isOwned ? 'requested' : 'cancelled');
      if (kind === 'requested') job.isToBeCancelled = true;
      if (kind === 'cancelled') job.status = 'cancelled';
    },
  );

const retry = (nth: number) =>
  command(
    `retry ${nth}`,
    (model) => model.size > 0,
    async (model, { node }) => {
      const job = model.get(among(model, nth)!)!;
      const { kind } = await node.operations.retry(job.id);
      if (isOpen(job) || job.status !== 'failed') return assert.notEqual(kind, 'retried');
      if (open(model).length >= depthMax) return assert.equal(kind, 'queue_full');
      assert.equal(kind, 'retried');
      const began = { resumes: 0, isHeld: false, isOwned: false, isToBeCancelled: false };
      Object.assign(job, { status: 'pending', ...began });
    },
  );

// What a process that died leaves behind: its entries are free once their leases have lapsed, its name stays.
const crash = command(
  'crash',
  (model) => open(model).some(({ isHeld }) => isHeld),
  async (model, { database, held, stale }) => {
    await database.sql(
      `update pgboss.job set state = 'retry', retry_count = retry_count + 1, started_on = null
       where name = 'symbol-onboarding' and state = 'active'`,
    );
    stale.push(...held.values());
    held.clear();
    for (const job of model.values()) job.isHeld = false;
  },
);

const giveBack = command(
  'give back',
  (model) => open(model).some(({ isHeld }) => isHeld),
  async (model, { node, held }) => {
    await node.jobs.release([...held.values()]);
    for (const symbol of held.keys()) Object.assign(model.get(symbol)!, { isHeld: false, isOwned: false });
    held.clear();
  },
);

const writeLate = command(
  'write late',
  () => true,
  async (model, { node, stale }) => {
    for (const taken of stale.splice(0)) {
      const job = model.get(taken.claim.symbol)!;
      if (job.id === taken.claim.jobId && job.epoch === taken.claim.epoch) continue; // no node has taken it over yet
      const late = node.journal.commit([recordOf(taken, 'processing.cache.running')]);
      await assert.rejects(late, { code: 'claim_lost' });
    }
  },
);

const symbol = fc.constantFrom(...symbols);
const nth = fc.nat({ max: 5 });
const commands = fc.commands(
  [
    fc.uniqueArray(symbol, { minLength: 1, maxLength: 3 }).map(submit),
    fc.integer({ min: 1, max: 3 }).map(claim),
    fc.integer({ min: 1, max: 3 }).map(claim),
    nth.map((one) => write(one, 'next')),
    nth.map((one) => write(one, 'next')),
    nth.map((one) => write(one, 'failed')),
    nth.map((one) => write(one, 'cancelled')),
    nth.map(cancel),
    nth.map(retry),
    fc.constant(crash),
    fc.constant(giveBack),
    fc.constant(writeLate),
  ],
  { maxCommands: 60, size: 'max' },
);

describeOnEveryDatabase('the life of jobs', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  test('whatever is done in whatever order: one job per symbol, never too deep, no gap, nothing lost', async () => {
    const node = await startNode(database, { depthMax, resumeLimit });
    let transitions = 0;
    await fc.assert(
      fc.asyncProperty(commands, async (orders) => {
        await emptyTables(database);
        const real: Real = { node, database, held: new Map(), stale: [] };
        await fc.asyncModelRun(() => ({ model: new Map(), real }), orders);
        const journal = await journalOf(database);
        transitions += journal.length;
        const byJob = await database.sql<{ job_id: string; whole: boolean }>(
          `select job_id, max(sequence) = count(*) and min(sequence) = 1 as whole
           from onboarding_transitions group by job_id`,
        );
        expect(byJob.filter(({ whole }) => !whole)).toEqual([]);
        expect(holesIn(journal).filter((hole) => hole.startsWith('position'))).toEqual([]);
      }),
      random(16, 300),
    );
    expect(transitions).toBeGreaterThan(100);
  }, 180_000);
});
