import fc from 'fast-check';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import type { JobView } from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { describeOnEveryDatabase } from '../support/databases.ts';
import { type Follower, follow } from '../support/feed-follower.ts';
import { csvOf, startService, type TestService, type Uploaded } from '../support/service.ts';

const rounds = process.env.SOAK ? 1000 : 12;
const seed = Number(process.env.SEED ?? 20261125);

// Who asks so often is one client.
const settings = { RATE_LIMIT_PER_MINUTE: '1000000000', UPLOAD_RATE_LIMIT_PER_MINUTE: '1000000000' };

/** Numbers from a seed: fast-check's own, one after the other. */
function dice(): (sides: number) => number {
  const stream = fc.sample(fc.nat(), { seed, numRuns: rounds * 8 })[Symbol.iterator]();
  return (sides) => (stream.next().value ?? 0) % sides;
}

describeOnEveryDatabase('the feed in the midst of it all', (makeDatabase, kind) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  test('leaves each client knowing what the service knows', { timeout: 3_600_000 }, async () => {
    const roll = dice();
    const nodes: TestService[] = [];
    const start = () => startService(database, { faults: 'BAD1=empty,BAD2=timeout:1', settings });
    for (let node = 0; node < (kind === 'pglite' ? 1 : 3); node += 1) nodes.push(await start());
    const anyNode = () => nodes[roll(nodes.length)]!;
    const symbols = [...Array.from({ length: rounds * 2 }, (_, n) => `CH${n}`), 'BAD1', 'BAD2'];
    const some = () => Array.from({ length: 1 + roll(3) }, () => symbols[roll(symbols.length)]!);
    const portfolios: string[] = [];
    const upload = async () => {
      const { status, body } = await anyNode().upload<Uploaded>(csvOf(...new Set(some())));
      if (status < 300) portfolios.push(body.portfolio_id);
      return status;
    };
    await upload();

    let asked = 0;
    const url = () => nodes[asked++ % nodes.length]!.url;
    const watched = new Map<Follower, Watched>();
    const watch = (selector: Watched) => {
      const follower = follow(selector, url);
      onTestFinished(follower.close);
      watched.set(follower, selector);
    };
    watch({ everything: true });
    watch({ symbols: symbols.slice(0, 20) });
    watch({ portfolios: portfolios.slice(0, 1) });
    watch({ statuses: ['failed', 'completed'] });
    const statuses = new Set<number>();
    for (let round = 1; round <= rounds; round += 1) {
      const what = roll(10);
      if (what < 4) statuses.add(await upload());
      else if (what < 8) [...watched.keys()][roll(watched.size)]!.drop();
      else if (what === 8 && watched.size < 12)
        watch(roll(2) ? { portfolios: [portfolios.at(-1)!] } : { symbols: some() });
      else if (round % 4 === 0) {
        const place = roll(nodes.length);
        await nodes[place]!.app.close(); // clients try on meanwhile, here and elsewhere
        nodes[place] = await start();
      }
      if (round % 100 === 0 || round === rounds) await agreed(nodes[0]!, watched);
    }
    expect([...statuses].filter((status) => status >= 400 && status !== 503)).toEqual([]);
    const resumed = [...watched.keys()].reduce((sum, one) => sum + one.resumed, 0);
    expect(resumed).toBeGreaterThan(0);
    expect([...watched.keys()].flatMap(({ resynced }) => resynced)).toEqual([...watched].map(() => 0));
  });
});

type Watched = {
  everything?: true;
  symbols?: string[];
  portfolios?: string[];
  statuses?: JobView['status'][];
};

/** Resolves once every client knows what the service knows, and throws where one saw what it should not. */
async function agreed(service: TestService, watched: ReadonlyMap<Follower, Watched>): Promise<void> {
  const all = await atRest(service);
  for (const [follower, selector] of watched) {
    const expected = await knowable(service, all, selector);
    for (;;) {
      expect(follower.wrong).toEqual([]);
      const known = knowledge(follower, selector, expected.ids);
      if (JSON.stringify(known) === JSON.stringify(expected.knowledge)) break;
      const told = follower.told().then(() => true);
      const late = new Promise<boolean>((resolve) => setTimeout(resolve, patienceMs, false));
      if (!(await Promise.race([told, late]))) expect(known).toEqual(expected.knowledge);
    }
  }
}

const patienceMs = 20_000; // far more than a reconnection takes, so that the report says what is missing

/** Every job, once none is unfinished. */
async function atRest(service: TestService): Promise<JobView[]> {
  for (;;) {
    const jobs: JobView[] = [];
    for (let cursor = ''; ; ) {
      const { body } = await service.get<{ jobs: JobView[]; next_cursor: string | null }>(
        `/onboarding/jobs?limit=200${cursor && `&cursor=${cursor}`}`,
      );
      jobs.push(...body.jobs);
      if (body.next_cursor === null) break;
      cursor = body.next_cursor;
    }
    const open = jobs.filter(({ status }) => status === 'pending' || status === 'processing');
    if (open.length === 0) return jobs;
    await service.transition(({ job_id, to }) => job_id === open[0]!.job_id && to in ends);
  }
}

const ends: Record<string, true> = { completed: true, failed: true, cancelled: true };

async function knowable(service: TestService, all: readonly JobView[], selector: Watched) {
  const needed = new Set(selector.symbols);
  const totals: [string, unknown][] = [];
  for (const id of selector.portfolios ?? []) {
    const portfolio = await service.portfolio(id);
    for (const { symbol } of portfolio.symbols) needed.add(symbol);
    totals.push([id, portfolio.snapshot?.total_value ?? null]);
  }
  const newest = new Map<string, JobView>();
  for (const job of all) if (!newest.has(job.symbol)) newest.set(job.symbol, job);
  const jobs =
    selector.everything || selector.statuses
      ? all
      : [...newest.values()].filter(({ symbol }) => needed.has(symbol));
  const seen = jobs.filter(({ status }) => selector.statuses?.includes(status) ?? true);
  return {
    ids: new Set(seen.map(({ job_id }) => job_id)),
    knowledge: {
      jobs: sorted(seen.map(({ job_id, sequence, status }) => [job_id, sequence, status])),
      totals,
    },
  };
}

/** Jobs that were over before a client came it need not know of: it is asked for those that the service tells. */
function knowledge(follower: Follower, selector: Watched, ids: ReadonlySet<string>) {
  const jobs = [...follower.jobs].filter(([id]) => ids.has(id) || selector.everything || selector.statuses);
  return {
    jobs: sorted(jobs.map(([id, { sequence, status }]) => [id, sequence, status])),
    totals: (selector.portfolios ?? []).map((id) => [id, follower.totals.get(id)?.total_value ?? null]),
  };
}

const sorted = (rows: [string, number, string][]) => rows.sort(([a], [b]) => (a < b ? -1 : 1));
