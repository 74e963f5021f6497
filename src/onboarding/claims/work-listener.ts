import { randomUUID } from 'node:crypto';
import type { Database } from '../../database/database.orm.ts';
import type { Clock } from '../../kernel/clock.ts';
import { channels } from '../job/ports.ts';
import type { SymbolQueueEdge } from './symbol.queue.ts';

const echoMaxMs = 2000; // a notification normally takes milliseconds

/**
 * One LISTEN connection for all subscribers of `onWork`. `echo` is its health check: it sends a notification and
 * resolves once this connection has received it.
 */
export async function listenForWork(queue: SymbolQueueEdge, database: Database, clock: Clock) {
  const wakers = new Set<() => void>();
  const echoes = new Map<string, () => void>();
  const wakeAll = () => {
    for (const wake of wakers) wake();
  };
  const receive = (payload: string) => {
    if (payload.startsWith('echo ')) echoes.get(payload)?.();
    else wakeAll();
  };
  const { close } = await queue.listen(channels.work, receive, wakeAll);
  const onWork = (wake: () => void) => {
    wakers.add(wake);
    return () => void wakers.delete(wake);
  };
  const echo = async () => {
    const payload = `echo ${randomUUID()}`;
    const { promise, resolve } = Promise.withResolvers<void>();
    echoes.set(payload, resolve);
    const timer = new AbortController();
    const lost = clock.sleepUntil(clock.now() + echoMaxMs, timer.signal).then(() => {
      throw new Error(`a notification did not arrive within ${echoMaxMs} ms`);
    });
    try {
      await Promise.race([
        lost,
        database.sql('select pg_notify($1, $2)', [channels.work, payload]).then(() => promise),
      ]);
    } finally {
      echoes.delete(payload);
      timer.abort();
    }
  };
  return { onWork, echo, close };
}
