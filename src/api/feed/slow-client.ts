import type { FeedEntry } from '../../contract/feed.ts';
import type { Frame } from '../../contract/schemas.ts';
import { closeCodes, type Encode, errorFrame, type LiveLimits } from './frames.ts';

/** What bytes go into: a socket, or the answer of an event stream. */
export interface Sink {
  write(bytes: Uint8Array): void;
  /** Bytes that were written and have not left this process yet. */
  readonly pending: number;
  /** Ends the connection in an orderly way; nothing is written after it. */
  close(code: number, reason: string): void;
}

/**
 * The way out to one client, who may read as slowly as he likes.
 *
 * Up to `bufferBytes` wait for him. Beyond them nothing is added but the latest entry of each job and each portfolio,
 * which he gets with a `coalesced` frame once he has read on. Who stays behind for `slowMs` is told and closed.
 */
export interface Outlet {
  /** Writes a frame that is for this client alone. */
  send(frame: Frame): void;
  /** Writes an entry, or keeps it as the latest of its kind. */
  deliver(entry: FeedEntry): void;
  /**
   * Resolves once nothing is kept and there is room again, for who has much to say at once; rejects when the client is
   * gone.
   */
  writable(): Promise<void>;
  /** The sink has room again. */
  drained(): void;
  /** Looks whether the client has been behind for too long. */
  tick(now: number): void;
  readonly isBehind: boolean;
  close(code: number, reason: string): void;
  /** The connection is gone. */
  ended(): void;
}

interface OutletOptions {
  sink: Sink;
  encode: Encode;
  limits: Pick<LiveLimits, 'bufferBytes' | 'slowMs'>;
  now: () => number;
  /** It was closed, be it from here. */
  onClose: () => void;
}

/** Entries that a client is behind with; as many jobs as a cluster works on at once, and more. */
const latestMax = 5000;

export function createOutlet({ sink, encode, limits, now, onClose }: OutletOptions): Outlet {
  const latest = new Map<string, FeedEntry>();
  let behindSince: number | null = null; // when it fell behind
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
    waiting?.reject(new Error('the client is gone'));
    waiting = null;
  };
  const tooSlow = () => {
    write(errorFrame('too_slow', 'You read more slowly than things happen: connect again and resume.'));
    close(closeCodes.tooSlow, 'too slow');
  };
  const writeEntry = (entry: FeedEntry) => {
    write(entry);
    after = entry.position;
  };
  const coalesce = (entry: FeedEntry) => {
    const key = entry.type === 'transition' ? entry.job_id : entry.portfolio_id;
    if (latest.delete(key)) skipped += 1;
    latest.set(key, entry); // and so they stay in the order of their positions
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
      // What a client asks for and does not read is no reason to keep it.
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
      if (!open) return Promise.reject(new Error('the client is gone'));
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
