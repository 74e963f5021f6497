import { openDatabase } from '../src/open-database.ts';
import type { Benchmark } from './support/benchmark.ts';
import { preparedProvider, startOnboardingService } from './support/onboarding.ts';
import { startServer } from './support/postgres.ts';
import { interleaved, spreadOf } from './support/rounds.ts';
import { shown, table } from './support/table.ts';

const symbolCount = 20;
const concurrency = 3;
const delayMs = 1000;
const idealMs = Math.ceil(symbolCount / concurrency) * delayMs;

const benchmark: Benchmark = {
  title: 'Twenty symbols, a provider that takes a second',
  async run() {
    const server = await startServer();
    const url = await server.createDatabase();
    const database = await openDatabase({ databaseUrl: url, dataDir: null, fsync: false });
    const settings = { DATABASE_URL: url, ONBOARDING_CONCURRENCY: String(concurrency) };
    const service = await startOnboardingService(database, settings, preparedProvider({ delayMs }));
    try {
      let round = 0;
      // The round before the first fetches the proxies.
      const { taken } = await interleaved({
        taken: () => {
          round += 1;
          return service.onboard(Array.from({ length: symbolCount }, (_, n) => `R${round}N${n}`));
        },
      });
      const ratio = spreadOf(taken.map((ms) => ms / idealMs));
      const rows = [[shown(spreadOf(taken)), String(idealMs), shown(ratio, 3)]];
      return {
        markdown: `${told}\n\n${table(['from upload to the last completed, ms', 'ideal, ms', 'ratio'], rows)}`,
        promises: [{ what: 'time, of the ideal', value: ratio.median, limit: { atMost: 1.1 } }],
      };
    } finally {
      await service.close();
      await database.close();
      await server.stop();
    }
  },
};
export default benchmark;

const told = `\
PostgreSQL, a portfolio of ${symbolCount} symbols uploaded over HTTP at concurrency ${concurrency}, each history ${delayMs} ms after it was asked for,
proxies warm: from the upload until the last symbol is completed. Ideal is ${symbolCount} symbols in waves of ${concurrency}, each as long as
one history.`;
