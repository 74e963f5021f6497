import type { Load } from './lifecycle/load.ts';
import type { Benchmark, Promised } from './support/benchmark.ts';
import { startContestant } from './support/contestant.ts';
import { startServer } from './support/postgres.ts';
import { interleaved, ratioOf, spreadOf } from './support/rounds.ts';
import { shown, table } from './support/table.ts';

const loads: (Load & { ofFloor: number })[] = [
  { concurrency: 3, prefetch: 48, jobs: 480, ofFloor: 0.6 },
  { concurrency: 32, prefetch: 32, jobs: 1920, ofFloor: 1 },
];
const files = ['service', 'floor', 'dbos'] as const;
type File = (typeof files)[number];

const about = `
Jobs per second of the lifecycle alone: phases that return at once, every transition durable. All jobs are seeded before
the clock starts; it stops when the last \`completed\` is committed.

- **service**: its own supervisor, machines, recorder, journal, claims and queue, with \`ONBOARDING_PREFETCH\` at 48
  for 3 at once and at 32 for 32. Its phases wait for commits where those of the service do: fetch before it asks anybody,
  universe and snapshot for what they write. Factors has all it needs in memory and cache only forgets, so their transitions
  share the next commit. Nobody reads the feed. Afterwards each job must have its 8 journal rows without a gap, its symbol
  must be ready and its queue entry settled.
- **every phase waits**: the same, but no phase begins before the transition that led to it is durable.
- **floor**: as many connections as jobs at once; each job is one claim (one statement, \`for update skip locked\`) and
  seven prepared updates of one row by id, each its own commit. No journal, no feed, no queue, no machine.
- **DBOS**: a workflow of five steps that return at once, called directly, on a pool of 32 connections.

Each runs in a process of its own, all on one PostgreSQL. On a busy machine the floor's 32 server processes get a larger
share of the processors than the service's two or three.
`;

export default {
  title: 'The lifecycle alone',
  async run() {
    const server = await startServer();
    const started = await Promise.all(
      files.map(async (name) => {
        const url = await server.createDatabase();
        return [
          name,
          await startContestant<Load>(new URL(`./lifecycle/${name}.ts`, import.meta.url), url),
        ] as const;
      }),
    );
    const contestants = Object.fromEntries(started) as Record<File, (typeof started)[number][1]>;
    try {
      const rows: string[][] = [];
      const promises: Promised[] = [];
      for (const { ofFloor, ...load } of loads) {
        const rate = async (file: File, own: Partial<Load> = {}) =>
          (load.jobs / (await contestants[file].run({ ...load, ...own }))) * 1000;
        const rates = await interleaved(
          {
            service: () => rate('service'),
            'every phase waits': () => rate('service', { everyPhaseWaits: true }),
            floor: () => rate('floor'),
            DBOS: () => rate('dbos'),
          },
          { onRound: (round) => console.log(load, round) },
        );
        for (const [name, own] of Object.entries(rates)) {
          const ratios = [ratioOf(own, rates.floor), ratioOf(own, rates.DBOS)].map((ratio) =>
            shown(ratio, 2),
          );
          rows.push([String(load.concurrency), name, shown(spreadOf(own)), ...ratios]);
        }
        const [toFloor, toDbos] = [ratioOf(rates.service, rates.floor), ratioOf(rates.service, rates.DBOS)];
        const at = `the lifecycle at concurrency ${load.concurrency}, in jobs per second of`;
        promises.push({ what: `${at} the floor`, value: toFloor.median, limit: { atLeast: ofFloor } });
        promises.push({ what: `${at} DBOS`, value: toDbos.median, limit: { atLeast: 3 } });
      }
      const head = ['concurrency', 'what', 'jobs per second', 'of the floor', 'of DBOS'];
      return { markdown: `${about}\n${table(head, rows)}`, promises };
    } finally {
      for (const [, contestant] of started) await contestant.close();
      await server.stop();
    }
  },
} satisfies Benchmark;
