import { localViewer, type Viewer } from '../../contract/service.ts';
import { clientOf } from '../access/rate-limit.ts';
import type { LiveLimits } from './frames.ts';

/** Limits open WebSockets and event streams, per client and in total. */
export interface ConnectionGate {
  /** Null if the limit is reached; else a function that releases the place. */
  enter(from: { viewer: Viewer; ip: string }): (() => void) | null;
}

export function connectionGate({
  socketsPerClient,
  sockets,
}: Pick<LiveLimits, 'socketsPerClient' | 'sockets'>): ConnectionGate {
  const open = new Map<string, number>();
  let total = 0;
  return {
    enter({ viewer, ip }) {
      const client = viewer === localViewer ? clientOf(ip) : `@${viewer.name}`;
      const own = open.get(client) ?? 0;
      if (own >= socketsPerClient || total >= sockets) return null;
      open.set(client, own + 1);
      total += 1;
      let released = false;
      return () => {
        if (released) return;
        released = true;
        total -= 1;
        const left = open.get(client)! - 1;
        if (left > 0) open.set(client, left);
        else open.delete(client);
      };
    },
  };
}
