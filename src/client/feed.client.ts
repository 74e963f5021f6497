import type { ClientFrame, Frame, Selector, TicketView } from '../contract/schemas.ts';
import { ConnectionError, FeedError, ProblemError } from './client-errors.ts';
import { type ClientOptions, type Send, sleep } from './http.client.ts';

export type { Frame } from '../contract/schemas.ts';

export interface FeedOptions {
  /** Ends the iteration, without an error. */
  signal?: AbortSignal;
  /** Told of each connection that is lost, and how long until the next attempt. Another one follows by itself. */
  onLost?: (loss: { reason: string; retryInMs: number }) => void;
}

export interface FeedRequest extends ClientOptions, FeedOptions {
  send: Send;
  selector: Selector;
}

const subprotocol = 'onboarding.v1+json';
const subscription = 'watched';
const pauseMinMs = 250;
const pauseMaxMs = 10_000;
const queuedMax = 1000; // frames that nobody has read yet: beyond them the service is asked to wait, by hanging up
const idleFactor = 2.5; // of the interval at which the service says something: then the connection is dead

/**
 * The frames of one subscription, none twice, none missing, over as many connections as it takes: each one resumes
 * after the last position that was read. What the service cannot replay it says with `resync`, and begins anew.
 *
 * A reader that is slower than the feed costs neither side memory: the connection is given up and resumed later.
 * Throws `FeedError` where the subscription is refused, `ProblemError` where whoever asks is.
 */
export async function* feedFrames(request: FeedRequest): AsyncGenerator<Frame, void> {
  const { selector, signal, onLost } = request;
  const subscriptions = [{ id: subscription, ...selector }];
  let after: number | null = null;
  let failures = 0;
  while (!signal?.aborted) {
    const first: ClientFrame =
      after === null ? { type: 'subscribe', subscriptions } : { type: 'resume', after, subscriptions };
    let reason = 'the connection could not be made';
    try {
      const connection = await connect(request, first);
      try {
        for (;;) {
          const frame = await connection.next();
          if (typeof frame === 'string') {
            reason = frame;
            break;
          }
          if (frame.type === 'error') throw new FeedError(frame.code, frame.message);
          if (frame.type === 'resync') after = null;
          if (isResumable(frame, after)) after = frame.position;
          if (frame.type === 'live') failures = 0;
          yield frame;
        }
      } finally {
        connection.close();
      }
    } catch (error) {
      if (signal?.aborted) return;
      if (!isTemporary(error)) throw error;
      reason = (error as Error).message;
    }
    if (signal?.aborted) return;
    if (reason === full) continue; // read up: go on where it was
    const retryInMs = Math.min(pauseMaxMs, pauseMinMs * 2 ** failures) * (0.5 + Math.random() / 2);
    failures += 1;
    onLost?.({ reason, retryInMs: Math.round(retryInMs) });
    await sleep(retryInMs, signal).catch(() => {});
  }
}

const advancing: ReadonlySet<Frame['type']> = new Set(['transition', 'snapshot.updated', 'position']);

/**
 * Whether the feed may be resumed after that frame. Before a subscription is live nothing is known of it; and behind
 * `resumed` and `coalesced` there is still to come what they speak of.
 */
function isResumable(frame: Frame, after: number | null): frame is Frame & { position: number } {
  return frame.type === 'live' || (after !== null && advancing.has(frame.type));
}

const temporaryCodes = new Set<string>([
  'feed_unavailable',
  'too_slow',
  'too_many_requests',
  'resume_too_late',
]);

/** What may be over at the next attempt. */
function isTemporary(error: unknown): boolean {
  if (error instanceof FeedError) return temporaryCodes.has(error.code);
  if (error instanceof ProblemError) return error.status === 429 || error.status >= 500;
  return error instanceof ConnectionError;
}

const full = 'the reader is slower than the feed';

interface Connection {
  /** The next frame, or why there is none. */
  next(): Promise<Frame | string>;
  close(): void;
}

async function connect(request: FeedRequest, first: ClientFrame): Promise<Connection> {
  const { url, token, send, signal, WebSocket = globalThis.WebSocket } = request;
  const target = new URL(`${url.replace(/\/+$/, '')}/ws`);
  target.protocol = target.protocol === 'https:' ? 'wss:' : 'ws:';
  if (token) {
    // A browser's socket bears no header.
    const { body } = await send<TicketView>('POST', '/tickets', { ...(signal && { signal }) });
    target.searchParams.set('ticket', body.ticket);
  }
  const socket = new WebSocket(target, [subprotocol]);
  const frames: Frame[] = [];
  let ended: string | null = null;
  let wake = () => {};
  let watchdog: ReturnType<typeof setTimeout> | undefined;
  let idleMs = 30_000; // until `hello` says how often it speaks
  // A first state has to be taken whole, however large: it would begin anew on the next connection.
  let isFirst = first.type === 'subscribe';

  const end = (reason: string) => {
    clearTimeout(watchdog);
    ended ??= reason;
    socket.close();
    wake();
  };
  const resetWatchdog = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => end('the service has said nothing for too long'), idleMs);
  };
  const abort = () => end('the reader has stopped');
  signal?.addEventListener('abort', abort, { once: true });
  resetWatchdog();
  socket.onopen = () => socket.send(JSON.stringify(first));
  socket.onmessage = ({ data }) => {
    if (ended !== null) return;
    resetWatchdog();
    const frame = frameOf(data);
    if (frame === null) return end('what answers is not the feed of this service');
    if (frame.type === 'hello') idleMs = frame.limits.ping_interval_ms * idleFactor;
    if (frames.length >= queuedMax && !isFirst) return end(full);
    if (frame.type === 'resync') isFirst = true;
    if (frame.type === 'live') isFirst = false;
    frames.push(frame);
    wake();
  };
  socket.onerror = () => {}; // `close` follows; and that of the package ws would end the process unless somebody listens
  socket.onclose = ({ code, reason }) => end(reason || `it was closed with ${code}`);
  return {
    async next() {
      // What had come before the end is read first: the next connection goes on behind it.
      while (frames.length === 0 && ended === null) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return frames.shift() ?? ended!;
    },
    close() {
      signal?.removeEventListener('abort', abort);
      end('the reader has stopped');
    },
  };
}

function frameOf(data: unknown): Frame | null {
  try {
    const frame = JSON.parse(String(data)) as Frame;
    return typeof frame?.type === 'string' ? frame : null;
  } catch {
    return null;
  }
}
