import type { ClientFrame, Frame, Selector, TicketView } from '../contract/schemas.ts';
import { ConnectionError, FeedError, ProblemError } from './client-errors.ts';
import { type ClientOptions, type Send, sleep } from './http.client.ts';

export type { Frame } from '../contract/schemas.ts';

export interface FeedOptions {
  /** Ends the iteration, without an error. */
  signal?: AbortSignal;
  /** Called for each lost connection, with the time until the automatic reconnect. */
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
const queuedMax = 1000; // unread frames; above it the connection is closed and resumed later (backpressure)
const idleFactor = 2.5; // times the ping interval of the service: then the connection is dead

/**
 * The frames of one subscription, each exactly once, over as many connections as needed: each resumes after the last
 * position that was read. If the service cannot replay frames it sends `resync` and the state again.
 *
 * A slow reader costs neither side memory: the connection is closed and resumed later. Throws `FeedError` if the
 * subscription is refused, `ProblemError` if the ticket is.
 */
export async function* feedFrames(request: FeedRequest): AsyncGenerator<Frame, void> {
  const { selector, signal, onLost } = request;
  const subscriptions = [{ id: subscription, ...selector }];
  let after: number | null = null;
  let failures = 0;
  while (!signal?.aborted) {
    const first: ClientFrame =
      after === null ? { type: 'subscribe', subscriptions } : { type: 'resume', after, subscriptions };
    let reason = 'could not connect';
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
    if (reason === full) continue; // the reader has caught up: resume
    const retryInMs = Math.min(pauseMaxMs, pauseMinMs * 2 ** failures) * (0.5 + Math.random() / 2);
    failures += 1;
    onLost?.({ reason, retryInMs: Math.round(retryInMs) });
    await sleep(retryInMs, signal).catch(() => {});
  }
}

const advancing: ReadonlySet<Frame['type']> = new Set(['transition', 'snapshot.updated', 'position']);

/**
 * Whether the feed can be resumed after a frame. Not before the subscription is live, and not after `resumed` and
 * `coalesced`: the entries that they announce are still to come.
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

/** Whether a retry may succeed. */
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
    // WebSockets of browsers cannot send headers.
    const { body } = await send<TicketView>('POST', '/tickets', { ...(signal && { signal }) });
    target.searchParams.set('ticket', body.ticket);
  }
  const socket = new WebSocket(target, [subprotocol]);
  const frames: Frame[] = [];
  let ended: string | null = null;
  let wake = () => {};
  let watchdog: ReturnType<typeof setTimeout> | undefined;
  let idleMs = 30_000; // until `hello` has the ping interval
  // The initial state must be read completely, however large: the next connection would start it again.
  let isFirst = first.type === 'subscribe';

  const end = (reason: string) => {
    clearTimeout(watchdog);
    ended ??= reason;
    socket.close();
    wake();
  };
  const resetWatchdog = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => end('no message from the service for too long'), idleMs);
  };
  const abort = () => end('the reader has stopped');
  signal?.addEventListener('abort', abort, { once: true });
  resetWatchdog();
  socket.onopen = () => socket.send(JSON.stringify(first));
  socket.onmessage = ({ data }) => {
    if (ended !== null) return;
    resetWatchdog();
    const frame = frameOf(data);
    if (frame === null) return end('the response is not the feed of this service');
    if (frame.type === 'hello') idleMs = frame.limits.ping_interval_ms * idleFactor;
    if (frames.length >= queuedMax && !isFirst) return end(full);
    if (frame.type === 'resync') isFirst = true;
    if (frame.type === 'live') isFirst = false;
    frames.push(frame);
    wake();
  };
  socket.onerror = () => {}; // `close` follows; without a listener the package ws would end the process
  socket.onclose = ({ code, reason }) => end(reason || `closed with code ${code}`);
  return {
    async next() {
      // Frames received before the end are read first: the next connection resumes after them.
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
