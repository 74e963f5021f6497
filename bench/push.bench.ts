import { join } from 'node:path';
import { type Heard, subscribers } from './push/subscribers.ts';
import type { Benchmark } from './support/benchmark.ts';
import { startScript } from './support/processes.ts';
import { ratioOf, spreadOf } from './support/rounds.ts';
import { shown, table } from './support/table.ts';

const contestants = { service: 'push/service.ts', bare: 'push/bare.ts' } as const;
type Name = keyof typeof contestants;

const clients = { reading: 4500, stalled: 500 };
const burst = { count: 100, everyMs: 0 };
const paced = { count: 40, everyMs: 250 };
const flood = { count: 8000, everyMs: 0 };
const floodReaders = 20;
const roundsMax = 3;
const mib = 1024 * 1024;

interface Round {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  grownMib: number;
  cpuUs: number;
}

/** A fresh server and fresh clients: one of ten never reads. */
async function round(name: Name): Promise<Round> {
  const server = await startScript(join(import.meta.dirname, contestants[name]));
  const subscribes = name === 'service';
  const many = await subscribers(server.url, { ...clients, subscribes });
  let heard: { burst: Heard; paced: Heard };
  try {
    await many.hear({ count: 10, everyMs: 0 }); // lets the compiler see the code
    heard = { burst: await many.hear(burst), paced: await many.hear(paced) };
  } finally {
    many.close();
    await server.stop();
  }
  return {
    perSecond: heard.burst.perSecond,
    p50Ms: heard.paced.p50Ms,
    p99Ms: heard.paced.p99Ms,
    cpuUs: heard.burst.cpuUs,
    grownMib: await grownInFlood(name),
  };
}

/** What the server takes in memory while those who never read are sent more than any socket holds. */
async function grownInFlood(name: Name): Promise<number> {
  const server = await startScript(join(import.meta.dirname, contestants[name]));
  const load = { reading: floodReaders, stalled: clients.stalled, subscribes: name === 'service' };
  const few = await subscribers(server.url, load);
  try {
    return (await few.hear(flood)).grownBytes / mib;
  } finally {
    few.close();
    await server.stop();
  }
}

const benchmark: Benchmark = {
  title: 'A broadcast to 5,000 subscribers, one of ten of whom never reads',
  async run() {
    const taken: Record<Name, Round[]> = { service: [], bare: [] };
    for (let number = 0; number < roundsMax; number += 1) {
      const order: Name[] = number % 2 === 0 ? ['service', 'bare'] : ['bare', 'service'];
      for (const name of order) {
        const measured = await round(name);
        taken[name].push(measured);
        console.log(
          name,
          JSON.stringify(measured, (_, value) => (typeof value === 'number' ? Math.round(value) : value)),
        );
      }
    }
    const of = (name: Name, figure: keyof Round) => taken[name].map((one) => one[figure]);
    const ratio = (figure: keyof Round) => ratioOf(of('service', figure), of('bare', figure));
    const row = (title: string, name: Name) => [
      title,
      shown(spreadOf(of(name, 'perSecond'))),
      shown(spreadOf(of(name, 'p50Ms')), 1),
      shown(spreadOf(of(name, 'p99Ms')), 1),
      shown(spreadOf(of(name, 'cpuUs')), 1),
      shown(spreadOf(of(name, 'grownMib'))),
    ];
    const head = [
      'server',
      'deliveries per second',
      'p50, ms',
      'p99, ms',
      'processor time per delivery, µs',
      'memory in the flood, MiB',
    ];
    return {
      markdown: `${told}\n\n${table(head, [row('the service', 'service'), row('bare `ws`', 'bare')])}`,
      promises: [
        {
          what: 'deliveries per second, of a bare broadcast',
          value: ratio('perSecond').median,
          limit: { atLeast: 0.95 },
        },
        { what: 'p99, of a bare broadcast', value: ratio('p99Ms').median, limit: { atMost: 1.2 } },
        {
          what: 'MiB for 500 clients that never read',
          value: spreadOf(of('service', 'grownMib')).max,
          limit: { atMost: 200 },
        },
      ],
    };
  },
};
export default benchmark;

const told = `\
The service's HTTP server with ${clients.reading + clients.stalled} WebSockets that have each subscribed to everything, \
next to \`ws\` alone that sends the same bytes to as many: serialised once, \`send\` for each client. \
${clients.stalled} of them never read. First ${burst.count} messages as fast as the event loop turns, then \
${paced.count} with ${paced.everyMs} ms between them for the times from the broadcast to the last byte at a client; and \
in servers of their own ${flood.count.toLocaleString('en-US')} messages to ${floodReaders} clients and the \
${clients.stalled} that never read. Server and clients in a process each; fresh ones each round.`;
