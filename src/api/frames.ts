import type { Frame, LiveErrorCode, TransitionView } from './schemas.ts';

export const subprotocol = 'onboarding.v1+json';

/** Close codes of our own, in the range that RFC 6455 leaves to applications. */
export const closeCodes = { goingAway: 1001, tryAgainLater: 1013, tooSlow: 4429, tooMany: 4430 } as const;

export interface LiveLimits {
  pingIntervalMs: number;
  /** Bytes sent and not yet read by the client at which it counts as too slow. */
  bufferBytes: number;
  /** The largest frame that a client may send. */
  frameBytes: number;
  /** How long it may stay that far behind. */
  slowMs: number;
  /** How long a connection may be without a subscription. */
  idleMs: number;
  /** Subscriptions of one connection, and the symbols, portfolios and jobs that they name in all. */
  subscriptions: number;
  names: number;
  /** How many frames a resume may replay. */
  replay: number;
  /** How long a client that was told goodbye may take to answer; a shutdown waits that long at most. */
  closeTimeoutMs: number;
  /** Sockets that one client, a token's name or an address, may have open. */
  socketsPerClient: number;
  /** Sockets of all clients. */
  sockets: number;
}

export const liveLimits: LiveLimits = {
  pingIntervalMs: 30_000, // below the 60 s after which common proxies drop a silent connection
  bufferBytes: 1024 * 1024, // some 2,000 transitions: a client that far behind is gone, not busy
  slowMs: 15_000,
  idleMs: 60_000,
  frameBytes: 64 * 1024, // a thousand names
  subscriptions: 32,
  names: 1000,
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
export function helloFrame({ position, now, marketData, limits }: Hello): string {
  return encode({
    type: 'hello',
    protocol: subprotocol,
    position,
    server_time: new Date(now).toISOString(),
    market_data: marketData,
    limits: {
      ping_interval_ms: limits.pingIntervalMs,
      idle_ms: limits.idleMs,
      frame_bytes: limits.frameBytes,
      buffer_bytes: limits.bufferBytes,
      slow_ms: limits.slowMs,
      subscriptions: limits.subscriptions,
      names: limits.names,
      replay: limits.replay,
    },
  });
}

// A feed hands the same transition to each of its listeners; it is serialised for the first one only.
const encoded = new WeakMap<TransitionView, string>();

export function transitionFrame(transition: TransitionView): string {
  const known = encoded.get(transition);
  if (known !== undefined) return known;
  const frame = encode({ type: 'transition', ...transition });
  encoded.set(transition, frame);
  return frame;
}

/** The answer to a message that this version of the protocol has no use for. */
export function errorFrame(code: LiveErrorCode, message: string): string {
  return encode({ type: 'error', code, message, subscription: null });
}

function encode(frame: Frame): string {
  return JSON.stringify(frame);
}
