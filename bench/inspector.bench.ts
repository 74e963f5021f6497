import type { Load } from './lifecycle/load.ts';
import type { Benchmark } from './support/benchmark.ts';
import { startContestant } from './support/contestant.ts';
import { startServer } from './support/postgres.ts';
import { interleaved, ratioOf, spreadOf } from './support/rounds.ts';
import { shown, table } from './support/table.ts';

const load = { concurrency: 8, jobs: 400, prefetch: 32, unit: 'cpu' } as const;
const viewers = [0, 1, 5] as const;
const times: Record<number, string> = { 0: 'nobody', 1: 'one', 5: 'five' };

const about = `
Processor time of the service's own thread per job, in milliseconds: ${load.jobs} jobs at concurrency ${load.concurrency}
whose phases return at once, on PostgreSQL, ${load.prefetch} claimed ahead, so that the supervisor's snapshot is as large as in
a busy service. **nobody** watches: nothing is attached to the actors. **one** and **five** viewers read every message
of the inspector over a WebSocket of their own, in other threads. One process, rounds interleaved.
`;

export default {
  title: 'The inspector, with and without a viewer',
  async run() {
    const server = await startServer();
    const file = new URL('./lifecycle/service.ts', import.meta.url);
    const service = await startContestant<Load>(file, await server.createDatabase());
    try {
      const perJob = (watching: number) => async () =>
        (await service.run({ ...load, viewers: watching })) / load.jobs;
      const taken = await interleaved(
        { nobody: perJob(0), one: perJob(1), five: perJob(5) },
        { onRound: (round) => console.log(round) },
      );
      const rows = viewers.map((count) => {
        const name = times[count] as keyof typeof taken;
        return [name, shown(spreadOf(taken[name]), 2), shown(ratioOf(taken[name], taken.nobody), 2)];
      });
      const promises = [
        {
          what: 'processor time per job with one viewer, of that with none',
          value: ratioOf(taken.one, taken.nobody).median,
          limit: { atMost: 3 }, // a job whose phases do nothing is the worst case: the viewer costs the same beside real ones
        },
      ];
      return {
        markdown: `${about}\n${table(['who watches', 'ms of processor per job', 'of nobody'], rows)}`,
        promises,
      };
    } finally {
      await service.close();
      await server.stop();
    }
  },
} satisfies Benchmark;
