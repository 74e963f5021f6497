import type { FeedEntry } from '../../contract/feed.ts';
import type { Frame } from '../../contract/schemas.ts';
import { closeCodes, type Encode, errorFrame, type LiveLimits } from './frames.ts';

/** The connection of a client: a WebSocket, or the response of an event stream. */
export interface Sink {
  write(bytes: Uint8Array): void;
  /** Written bytes that are still in the buffer of this process. */
  readonly pending: number;
  /** Closes the connection gracefully; nothing is written after it. */
  close(code: number, reason: string): void;
}

/**
 * Sends frames to one client, with backpressure: it may read slowly without costing memory.
 *
 * Up to `bufferBytes` are buffered. Above that, entries are coalesced: only the latest of each job and portfolio is
 * kept, and sent after a `coalesced` frame when the client has read on. A client that stays slow for `slowMs` is
 * closed.
 */
export interface Outlet {
  /** Writes a frame for this client. */
  send(frame: Frame): void;
  /** Writes an entry, or keeps it as the latest of its job or portfolio. */
  deliver(entry: FeedEntry): void;
  /**
   * Resolves when no entries are kept and the buffer has room: await it before each of many frames. Rejects if the
   * client disconnects.
   */
  writable(): Promise<void>;
  /** The sink accepts bytes again. */
  drained(): void;
  /** Closes the client if it has been slow for too long. */
  tick(now: number): void;
  readonly isBehind: boolean;
  close(code: number, reason: string): void;
  /** The connection has ended. */
  ended(): void;
}

interface OutletOptions {
  sink: Sink;
  encode: Encode;
  limits: Pick<LiveLimits, 'bufferBytes' | 'slowMs'>;
  now: () => number;
  /** The connection was closed, also by the outlet itself. */
  onClose: () => void;
}

/** Kept entries per client: more than a cluster has running jobs. */
const latestMax = 5000;

export function createOutlet({ sink, encode, limits, now, onClose }: OutletOptions): Outlet {
  const latest = new Map<string, FeedEntry>();
  let behindSince: number | null = null;
  let after = 0; // the last position written
  let skipped = 0;
  let open = true;
  let waiting: PromiseWithResolvers<void> | null = null;

  const isFull = () => sink.pending > limits.bufferBytes;
  const write = (frame: Frame) => {
    if (open) sink.write(encode(frame));
    if (frame.type === 'live') after = frame.position;
  };
  const close = (code: number, reason: string) => {
    if (!open) return;
    sink.close(code, reason);
    ended();
    onClose();
  };
  const ended = () => {
    open = false;
    latest.clear();
    waiting?.reject(new Error('the client has disconnected'));
    waiting = null;
  };
  const tooSlow = () => {
    write(errorFrame('too_slow', 'This client reads too slowly. Connect again and resume.'));
    close(closeCodes.tooSlow, 'too slow');
  };
  const writeEntry = (entry: FeedEntry) => {
    write(entry);
    after = entry.position;
  };
  const coalesce = (entry: FeedEntry) => {
    const key = entry.type === 'transition' ? entry.job_id : entry.portfolio_id;
    if (latest.delete(key)) skipped += 1;
    latest.set(key, entry); // at the end, so entries stay in the order of their positions
    if (latest.size > latestMax) tooSlow();
  };
  const flush = () => {
    if (skipped > 0) {
      const until = [...latest.values()].at(-1)!.position;
      write({ type: 'coalesced', after, until, skipped });
      skipped = 0;
    }
    for (const [key, entry] of latest) {
      if (isFull()) return;
      latest.delete(key);
      writeEntry(entry);
    }
    behindSince = null;
  };
  return {
    send(frame) {
      // A client that requests much and does not read must not fill the memory.
      if (sink.pending > 2 * limits.bufferBytes) tooSlow();
      else write(frame);
    },
    deliver(entry) {
      if (!open) return;
      if (behindSince === null && sink.pending <= limits.bufferBytes) {
        after = entry.position;
        return sink.write(encode(entry));
      }
      behindSince ??= now();
      coalesce(entry);
    },
    writable() {
      if (!open) return Promise.reject(new Error('the client has disconnected'));
      if (behindSince === null && !isFull()) return Promise.resolve();
      behindSince ??= now();
      waiting ??= Promise.withResolvers<void>();
      return waiting.promise;
    },
    drained() {
      if (!open || isFull()) return;
      if (behindSince !== null) flush();
      if (isFull()) return;
      waiting?.resolve();
      waiting = null;
    },
    tick(at) {
      if (open && behindSince !== null && at - behindSince > limits.slowMs) tooSlow();
    },
    get isBehind() {
      return behindSince !== null;
    },
    close,
    ended,
  };
}
