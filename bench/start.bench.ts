import { join } from 'node:path';
import type { Benchmark } from './support/benchmark.ts';
import { startProcess, startScript, temporaryDirectory } from './support/processes.ts';
import { interleaved, ratioOf, spreadOf } from './support/rounds.ts';
import { shown, table } from './support/table.ts';

const alone = join(import.meta.dirname, 'support/pglite-alone.ts');

/** From the start of the process until `/health/ready` answers 200. */
async function startToReady(dataDir: string): Promise<number> {
  const begun = performance.now();
  const service = await startProcess({ DATA_DIR: dataDir, LOG_LEVEL: 'silent' });
  const { status } = await fetch(`${service.url}/health/ready`);
  const tookMs = performance.now() - begun;
  await service.stop();
  if (status !== 200) throw new Error(`expected 200, got: ${status}`);
  return tookMs;
}

async function openAlone(directory: string, ...parameters: string[]): Promise<number> {
  const opened = await startScript(alone, [directory, ...parameters]);
  await opened.stop();
  return opened.tookMs;
}

/** On a directory that did not exist before. */
async function firstly(start: (directory: string) => Promise<number>): Promise<number> {
  const fresh = temporaryDirectory();
  try {
    return await start(fresh.path);
  } finally {
    fresh.remove();
  }
}

const benchmark: Benchmark = {
  title: 'Start to ready',
  async run() {
    const data = temporaryDirectory();
    try {
      await startToReady(data.path);
      const taken = await interleaved({
        service: () => startToReady(data.path),
        pglite: () => openAlone(join(data.path, 'pglite')),
        serviceFirst: () => firstly(startToReady),
        pgliteFirst: () => firstly((path) => openAlone(join(path, 'pglite'), 'first')),
      });
      const row = (name: string, service: number[], pglite: number[]) => [
        name,
        shown(spreadOf(service)),
        shown(spreadOf(pglite)),
        shown(ratioOf(service, pglite), 2),
      ];
      const rows = [
        row('a directory that exists', taken.service, taken.pglite),
        row('the first start', taken.serviceFirst, taken.pgliteFirst),
      ];
      return {
        markdown: `${told}\n\n${table(['start on', 'service, ms', 'PGlite, ms', 'ratio'], rows)}`,
        promises: [
          {
            what: 'the first start, once the template exists, of PGlite alone',
            value: ratioOf(taken.serviceFirst, taken.pgliteFirst).median,
            limit: { atMost: 2 },
          },
        ],
      };
    } finally {
      data.remove();
    }
  },
};
export default benchmark;

const told = `\
From the start of the process until \`GET /health/ready\` answers 200, embedded, every commit flushed to disk; next to a
process that only opens PGlite on the same directory (no flushing) and answers one query. On the first start PGlite
unpacks the directory that its own package brings; the service copies the migrated one that the very first start of its
version on this machine has kept, flushes it, and makes the queue.`;
