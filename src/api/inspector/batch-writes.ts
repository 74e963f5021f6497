import type { Writable } from 'node:stream';

const held = new Set<Writable>();

/**
 * What is written to this socket within a turn of the event loop leaves at its end, in one piece. The inspector sends some
 * thirty messages per job, and each alone cost a system call: 40 of the 55 µs that it takes.
 */
export function batchWrites(wire: Writable): void {
  if (held.has(wire)) return;
  if (held.size === 0) setImmediate(release);
  held.add(wire);
  wire.cork();
}

function release(): void {
  for (const wire of held) wire.uncork();
  held.clear();
}
