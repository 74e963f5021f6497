import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Benchmark } from './support/benchmark.ts';
import { startProcess, startScript, temporaryDirectory } from './support/processes.ts';
import { interleaved, ratioOf, spreadOf } from './support/rounds.ts';
import { shown, table } from './support/table.ts';

const bare = join(import.meta.dirname, 'support/bare-route.ts');
const path = '/symbols/AAPL/status';
const connections = 50;
const seconds = 4;

/** Onboards AAPL; answers the bytes of its status once that comes from memory. */
async function readied(url: string): Promise<number> {
  await fetch(`${url}/symbols/AAPL/onboarding`, { method: 'POST' });
  for (;;) {
    const text = await (await fetch(url + path)).text();
    if ((JSON.parse(text) as { status: string }).status === 'ready') {
      return Buffer.byteLength(await (await fetch(url + path)).text());
    }
    await setTimeout(50);
  }
}

async function requestsPerSecond(url: string): Promise<number> {
  const { default: autocannon } = await import('autocannon');
  const { requests, non2xx, errors } = await autocannon({ url: url + path, connections, duration: seconds });
  if (non2xx + errors > 0) throw new Error(`expected 200 only, got: ${non2xx} others and ${errors} errors`);
  return requests.average;
}

const benchmark: Benchmark = {
  title: 'The status of a ready symbol',
  async run() {
    const data = temporaryDirectory();
    const service = await startProcess({ DATA_DIR: data.path });
    const bytes = await readied(service.url);
    const floor = await startScript(bare, [String(bytes)]);
    try {
      const taken = await interleaved({
        service: () => requestsPerSecond(service.url),
        bare: () => requestsPerSecond(floor.url),
      });
      const ratio = ratioOf(taken.service, taken.bare);
      const rows = [
        ['the service', shown(spreadOf(taken.service)), shown(ratio, 2)],
        ['a bare Fastify route', shown(spreadOf(taken.bare)), ''],
      ];
      const promise = {
        what: 'requests per second, of a bare route',
        value: ratio.median,
        limit: { atLeast: 0.6 },
      };
      return {
        markdown: `${told(bytes)}\n\n${table(['server', 'requests per second', 'ratio'], rows)}`,
        promises: [promise],
      };
    } finally {
      await service.stop();
      await floor.stop();
      data.remove();
    }
  },
};
export default benchmark;

const told = (bytes: number) => `\
\`GET ${path}\` of a ready symbol, ${bytes} bytes, answered from memory: the service with its default settings but a
rate limit out of reach, its log in a file, next to Fastify with one route that sends a static string of the same size and logs nothing. Each server in a
process of its own, autocannon with ${connections} connections for ${seconds} s per round.`;
