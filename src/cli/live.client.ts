import { subprotocol } from '../api/feed/frames.ts';
import type { ClientFrame, Frame, Selector } from '../contract/schemas.ts';
import { systemClock } from '../kernel/system.clock.ts';
import type { ServiceAddress } from './service.client.ts';

export interface Live {
  /** The next frame; `silent` where none comes in time, `lost` once the socket is closed, for whatever reason. */
  next(waitMs: number): Promise<Frame | 'silent' | 'lost'>;
  close(): void;
}

/** Node's WebSocket takes headers, which browsers' do not; the standard types know the browsers' only. */
type NodeWebSocket = new (
  url: string,
  options: { protocols: string[]; headers: Record<string, string> },
) => WebSocket;

/**
 * Opens the live feed of what is selected. A feed that does not open is one that ends at once: whoever follows it asks
 * instead.
 */
export function openLive({ url, token }: Pick<ServiceAddress, 'url' | 'token'>, selector: Selector): Live {
  const inbox: (Frame | 'lost')[] = [];
  let wake = () => {};
  const push = (what: Frame | 'lost') => {
    inbox.push(what);
    wake();
  };
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  const socket = new (WebSocket as unknown as NodeWebSocket)(`${url.replace(/^http/, 'ws')}/ws`, {
    protocols: [subprotocol],
    headers,
  });
  socket.onopen = () => {
    const frame: ClientFrame = { type: 'subscribe', subscriptions: [{ id: 'watched', ...selector }] };
    socket.send(JSON.stringify(frame));
  };
  socket.onmessage = ({ data }) => {
    try {
      push(JSON.parse(String(data)) as Frame);
    } catch {
      socket.close(); // not our service, or not this version of it
    }
  };
  socket.onerror = () => push('lost');
  socket.onclose = () => push('lost');
  return {
    async next(waitMs) {
      if (inbox.length === 0) {
        const come = new AbortController();
        wake = () => come.abort();
        await systemClock.sleepUntil(systemClock.now() + waitMs, come.signal).catch(() => {});
      }
      return inbox.shift() ?? 'silent';
    },
    close: () => socket.close(),
  };
}
