import type { Frame, FrameOf, LiveErrorCode } from '../../contract/schemas.ts';
import type { Viewer } from '../../contract/service.ts';
import { frameForUsers } from './hide-node-names.ts';

export const subprotocol = 'onboarding.v1+json';

/** Close codes of our own, in the ranges that RFC 6455 gives to registered use and to applications. */
export const closeCodes = {
  goingAway: 1001,
  refused: 1008,
  tryAgainLater: 1013,
  idle: 4408,
  tooSlow: 4429,
  tooMany: 4430,
} as const;

export interface LiveLimits {
  /** Between two pings, and between two heartbeats of an event stream. */
  pingIntervalMs: number;
  /** How long a connection may be without a subscription. */
  idleMs: number;
  /** The largest frame that a client may send. */
  frameBytes: number;
  /** Bytes sent and not yet read by the client at which it gets no more than the latest of each job and portfolio. */
  bufferBytes: number;
  /** How long it may stay that far behind. */
  slowMs: number;
  /** Subscriptions of one connection, and the symbols, portfolios and jobs that they name in all. */
  subscriptions: number;
  names: number;
  /** Frames that a client may send in a minute: each may cost a transaction. */
  requestsPerMinute: number;
  /** How many frames a resume may replay. */
  replay: number;
  /** How long a client that was told goodbye may take to answer; a shutdown waits that long at most. */
  closeTimeoutMs: number;
  /** Sockets and event streams that one client, a token's name or an address, may have open. */
  socketsPerClient: number;
  /** Those of all clients. */
  sockets: number;
}

export const liveLimits: LiveLimits = {
  pingIntervalMs: 30_000, // below the 60 s after which common proxies drop a silent connection
  idleMs: 60_000,
  frameBytes: 64 * 1024, // a thousand names
  bufferBytes: 256 * 1024, // some 400 transitions: a client that far behind is not merely busy
  slowMs: 15_000,
  subscriptions: 32,
  names: 1000,
  requestsPerMinute: 600,
  replay: 10_000,
  closeTimeoutMs: 2000,
  socketsPerClient: 20, // a window each, for more windows than anybody watches
  sockets: 500, // half of the connections, so that requests always find one
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

/** How frames travel: each kind of connection writes them in its own way. */
export type Encode = (frame: Frame) => Uint8Array;

/** One encoding for each role: users are not told all that operators are. */
export const encodeForRoles = (encode: Encode): Record<Viewer['role'], Encode> => ({
  operator: encodeOnce(encode),
  user: encodeOnce((frame) => encode(frameForUsers(frame))),
});

/** Encodes each frame once, for however many connections: whoever is told the same thing is handed the same object. */
function encodeOnce(encode: Encode): Encode {
  const known = new WeakMap<Frame, Uint8Array>();
  // Of a broadcast each is asked for thousands of times in a row.
  let last: { frame: Frame; bytes: Uint8Array } | null = null;
  return (frame) => {
    if (last?.frame === frame) return last.bytes;
    const bytes = known.get(frame) ?? encode(frame);
    known.set(frame, bytes);
    last = { frame, bytes };
    return bytes;
  };
}

/** An event of an event stream. Only what can be resumed after has an id. */
export function eventText(frame: Frame): string {
  const text = JSON.stringify(frame);
  const id = resumable.has(frame.type) ? `id: ${(frame as { position: number }).position}\n` : '';
  // Nothing happened: the id moves on all the same, and no listener is called.
  if (frame.type === 'position') return `: heartbeat\n${id}\n`;
  return `event: ${frame.type}\n${id}data: ${text}\n\n`;
}

const resumable = new Set<Frame['type']>(['live', 'transition', 'snapshot.updated', 'position']);
