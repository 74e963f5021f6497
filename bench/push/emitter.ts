import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FrameOf } from '../../src/contract/schemas.ts';

export interface Emission {
  count: number;
  /** Milliseconds between two; 0 for as fast as the event loop turns. */
  everyMs: number;
}

export interface Emitted {
  /** When each was handed to the broadcast, in milliseconds of the machine's monotonic clock. */
  sentAt: number[];
  /** Of one message, without its frame. */
  bytes: number;
  /** The most memory that this process had while it sent, in bytes. */
  rss: number;
  /** Processor time of this process while it sent, in microseconds. */
  cpuUs: number;
}

/** The same clock in every process of a machine. */
export const monotonicMs = () => Number(process.hrtime.bigint()) / 1e6;

/** A transition; all of them have the same length. */
const entryAt = (position: number): FrameOf<'transition'> => ({
  type: 'transition',
  job_id: '01a20497-20ee-7120-a7a2-4d5a9d1ce6da',
  symbol: 'BRK-B',
  position: 1_000_000 + position,
  sequence: 1_000_000 + position,
  from: 'processing.fetch.waiting',
  to: 'processing.fetch.running',
  event: 'permit.granted',
  status: 'processing',
  phase: 'fetch',
  attempt: 1,
  progress: 0.2,
  duration_ms: 12,
  node: 'server-1-4711-00e1ae3d',
  claim_epoch: 1,
  error: null,
  at: '2026-11-22T18:49:03.174Z',
});

/**
 * A way to have a server broadcast: `GET /emit?count=…&everyMs=…` answers what was sent. Prints its own address, and
 * with it the port of the server that it belongs to.
 */
export async function serveEmitter(port: number, broadcast: (entry: FrameOf<'transition'>) => void) {
  let position = 0;
  const emit = async ({ count, everyMs }: Emission): Promise<Emitted> => {
    const sentAt: number[] = [];
    let rss = process.memoryUsage.rss();
    const begun = process.cpuUsage();
    for (let n = 0; n < count; n += 1) {
      position += 1;
      const entry = entryAt(position);
      sentAt.push(monotonicMs());
      broadcast(entry);
      rss = Math.max(rss, process.memoryUsage.rss());
      if (everyMs === 0) await new Promise(setImmediate);
      else await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
    const { user, system } = process.cpuUsage(begun);
    const bytes = Buffer.byteLength(JSON.stringify(entryAt(0)));
    return { sentAt, bytes, rss, cpuUs: user + system };
  };
  const control = createServer(({ url = '/' }, response) => {
    const asked = new URL(url, 'http://control').searchParams;
    emit({ count: Number(asked.get('count')), everyMs: Number(asked.get('everyMs')) }).then((emitted) =>
      response.end(JSON.stringify(emitted)),
    );
  });
  control.listen(0, '127.0.0.1', () => {
    const own = (control.address() as AddressInfo).port;
    console.log(`http://127.0.0.1:${own}/?port=${port}`);
  });
  process.on('SIGTERM', () => process.exit());
}
