import { buildServer } from '../../src/api/http.server.ts';
import type { Feed, FeedEntry } from '../../src/contract/feed.ts';
import type { Service } from '../../src/contract/service.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import { serveEmitter } from './emitter.ts';

// The service's own HTTP server over a feed that is told what to say: sockets, subscriptions, index and framing are
// those of production; the database is out of it.
const listeners = new Set<(entry: FeedEntry) => void>();
const feed: Feed = {
  subscribe(listener) {
    listeners.add(listener);
    return { position: 1_000_000, close: () => void listeners.delete(listener) };
  },
  reached: async () => {},
  state: async (subscriptions) => ({
    position: 1_000_000,
    subscriptions: subscriptions.map(({ id }) => ({
      id,
      missing: [],
      portfolios: [],
      actors: [],
      truncated: false,
    })),
  }),
  replay: async () => ({ kind: 'resync', reason: 'expired', floor: 1_000_000, position: 1_000_000 }),
  onEnd: () => () => {},
};

const unlimited = 1_000_000;
const server = buildServer({ feed } as Service, {
  clock: systemClock,
  marketData: { providers: ['simulated'], simulated: true },
  live: { socketsPerClient: unlimited, sockets: unlimited, pingIntervalMs: 3_600_000 },
  connections: { connections: unlimited },
});
const url = await server.listen({ host: '127.0.0.1', port: 0, backlog: 5000 });
await serveEmitter(Number(new URL(url).port), (entry) => {
  for (const listener of listeners) listener(entry);
});
