import type { Frame, FrameOf, LiveErrorCode } from '../../contract/schemas.ts';
import type { Viewer } from '../../contract/service.ts';
import { frameForUsers } from './hide-node-names.ts';

export const subprotocol = 'onboarding.v1+json';

/** Close codes that we use: registered ones, and our own in the range for applications (RFC 6455). */
export const closeCodes = {
  goingAway: 1001,
  refused: 1008,
  tryAgainLater: 1013,
  idle: 4408,
  tooSlow: 4429,
  tooMany: 4430,
} as const;

export interface LiveLimits {
  /** Between two pings of a WebSocket, and two heartbeats of an event stream. */
  pingIntervalMs: number;
  /** How long a connection may have no subscription. */
  idleMs: number;
  /** The largest frame that a client may send. */
  frameBytes: number;
  /** Unread bytes above which a client gets only the latest entry of each job and portfolio (coalescing). */
  bufferBytes: number;
  /** How long a client may stay that slow. */
  slowMs: number;
  /** Subscriptions per connection, and the symbols, portfolios and jobs in all of them. */
  subscriptions: number;
  names: number;
  /** Frames that a client may send per minute: each may cost a transaction. */
  requestsPerMinute: number;
  /** Frames that a resume may replay. */
  replay: number;
  /** How long to wait for the closing handshake of a client; also the longest delay of a shutdown. */
  closeTimeoutMs: number;
  /** Open WebSockets and event streams per client (name of a token, or address). */
  socketsPerClient: number;
  /** Open WebSockets and event streams of all clients. */
  sockets: number;
}

export const liveLimits: LiveLimits = {
  pingIntervalMs: 30_000, // below the 60 s after which common proxies drop a silent connection
  idleMs: 60_000,
  frameBytes: 64 * 1024, // a thousand names
  bufferBytes: 256 * 1024, // about 400 transitions: more than a short delay of the client
  slowMs: 15_000,
  subscriptions: 32,
  names: 1000,
  requestsPerMinute: 600,
  replay: 10_000,
  closeTimeoutMs: 2000,
  socketsPerClient: 20, // one per browser window
  sockets: 500, // half of the connections, so that some are left for requests
};

export interface Hello {
  position: number;
  /** Epoch milliseconds. */
  now: number;
  marketData: { providers: string[]; simulated: boolean };
  limits: LiveLimits;
}

/** The first frame of a connection. */
export function helloFrame({ position, now, marketData, limits }: Hello): FrameOf<'hello'> {
  return {
    type: 'hello',
    protocol: subprotocol,
    position,
    server_time: new Date(now).toISOString(),
    market_data: { providers: marketData.providers, simulated: marketData.simulated },
    limits: {
      ping_interval_ms: limits.pingIntervalMs,
      idle_ms: limits.idleMs,
      frame_bytes: limits.frameBytes,
      buffer_bytes: limits.bufferBytes,
      slow_ms: limits.slowMs,
      subscriptions: limits.subscriptions,
      names: limits.names,
      requests_per_minute: limits.requestsPerMinute,
      replay: limits.replay,
    },
  };
}

export function errorFrame(
  code: LiveErrorCode,
  message: string,
  subscription: string | null = null,
): FrameOf<'error'> {
  return { type: 'error', code, message, subscription };
}

/** Encodes a frame for one kind of connection. */
export type Encode = (frame: Frame) => Uint8Array;

/** One encoding per role: users do not see everything that operators see. */
export const encodeForRoles = (encode: Encode): Record<Viewer['role'], Encode> => ({
  operator: encodeOnce(encode),
  user: encodeOnce((frame) => encode(frameForUsers(frame))),
});

/** Encodes each frame once for all connections: they share the frame objects. */
function encodeOnce(encode: Encode): Encode {
  const known = new WeakMap<Frame, Uint8Array>();
  // A broadcast asks for the same frame thousands of times in a row.
  let last: { frame: Frame; bytes: Uint8Array } | null = null;
  return (frame) => {
    if (last?.frame === frame) return last.bytes;
    const bytes = known.get(frame) ?? encode(frame);
    known.set(frame, bytes);
    last = { frame, bytes };
    return bytes;
  };
}

/** A frame as server-sent event. Only frames that can be resumed after have an id. */
export function eventText(frame: Frame): string {
  const text = JSON.stringify(frame);
  const id = resumable.has(frame.type) ? `id: ${(frame as { position: number }).position}\n` : '';
  // A comment with an id: it advances Last-Event-ID without calling a listener.
  if (frame.type === 'position') return `: heartbeat\n${id}\n`;
  return `event: ${frame.type}\n${id}data: ${text}\n\n`;
}

const resumable = new Set<Frame['type']>(['live', 'transition', 'snapshot.updated', 'position']);
