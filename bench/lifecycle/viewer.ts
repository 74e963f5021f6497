import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Worker } from 'node:worker_threads';
import { type WebSocket, WebSocketServer } from 'ws';
import { batchWrites } from '../../src/api/inspector/batch-writes.ts';

export interface Viewer {
  send(message: string): void;
  close(): Promise<void>;
}

// Reads in a thread of its own, whose time is nobody's: what is measured is the thread that sends.
const reader = `
const { workerData } = require('node:worker_threads');
new WebSocket(workerData).onmessage = () => {};
`;

/** Somebody at the other end of a real socket who reads all that comes. */
export async function startViewer(): Promise<Viewer> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const worker = new Worker(reader, { eval: true, workerData: `ws://127.0.0.1:${port}` });
  const [socket, { socket: wire }] = (await once(server, 'connection')) as [WebSocket, IncomingMessage];
  return {
    // As `/ws/inspect` does it.
    send(message) {
      batchWrites(wire);
      socket.send(message);
    },
    async close() {
      await worker.terminate();
      for (const client of server.clients) client.terminate();
      server.close();
    },
  };
}
