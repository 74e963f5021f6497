import type { Writable } from 'node:stream';

const corked = new Set<Writable>();

/**
 * Batches the writes to a socket within a turn of the event loop (cork), so that they are one system call. The inspector
 * sends about thirty messages per job; a system call takes 40 of the 55 µs of each.
 */
export function batchWrites(wire: Writable): void {
  if (corked.has(wire)) return;
  if (corked.size === 0) setImmediate(uncork);
  corked.add(wire);
  wire.cork();
}

function uncork(): void {
  for (const wire of corked) wire.uncork();
  corked.clear();
}
