import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { serveEmitter } from './emitter.ts';

// What `ws` shows in its own documentation: each message is serialised once and sent to every client.
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, backlog: 5000 });
server.on('listening', () => {
  void serveEmitter((server.address() as AddressInfo).port, (entry) => {
    const data = Buffer.from(JSON.stringify(entry));
    for (const client of server.clients) {
      if (client.readyState === client.OPEN) client.send(data, { binary: false });
    }
  });
});
