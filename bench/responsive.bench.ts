import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openDatabase } from '../src/open-database.ts';
import type { Benchmark } from './support/benchmark.ts';
import { preparedProvider, startOnboardingService } from './support/onboarding.ts';
import { temporaryDirectory } from './support/processes.ts';
import { interleaved, spreadOf } from './support/rounds.ts';
import { shown, table } from './support/table.ts';

const symbolCount = 50;
const p99MaxMs = 50;
const resolutionMs = 5;

const benchmark: Benchmark = {
  title: 'Timers, sockets and health checks while the embedded database works',
  async run() {
    const data = temporaryDirectory();
    const database = await openDatabase({ databaseUrl: null, dataDir: data.path, fsync: true });
    const service = await startOnboardingService(database, { DATA_DIR: data.path }, preparedProvider());
    const worst: number[] = [];
    try {
      let round = 0;
      // The round before the first fetches the proxies.
      const took: number[] = [];
      const { p99 } = await interleaved({
        p99: async () => {
          round += 1;
          const symbols = Array.from({ length: symbolCount }, (_, n) => `R${round}N${n}`);
          const delay = monitorEventLoopDelay({ resolution: resolutionMs });
          delay.enable();
          took.push(await service.onboard(symbols));
          delay.disable();
          worst.push(delay.max / 1e6);
          // What the timer itself waits for is no delay.
          return Math.max(0, delay.percentile(99) / 1e6 - resolutionMs);
        },
      });
      const rows = [
        [shown(spreadOf(p99), 1), shown(spreadOf(worst.slice(1)), 1), shown(spreadOf(took.slice(1)))],
      ];
      const head = ['delay, p99, ms', 'the longest, ms', 'onboarding, ms'];
      return {
        markdown: `${told}\n\n${table(head, rows)}`,
        promises: [
          { what: 'event-loop delay, p99 in ms', value: spreadOf(p99).median, limit: { atMost: p99MaxMs } },
        ],
      };
    } finally {
      await service.close();
      await database.close();
      data.remove();
    }
  },
};
export default benchmark;

const told = `\
PGlite runs in the service's own process. A portfolio of ${symbolCount} new symbols is uploaded over HTTP to a service with its default
settings (every commit flushed), prices come from memory at once, so that the database is never idle. Meanwhile a timer
asks every ${resolutionMs} ms to be called: how much later than that it is.`;
