import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** An HTTP server that answers as told, and nothing on `/ws`; closed with its test. Answers where it listens. */
export async function answering(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.on('upgrade', (_request, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Hands every request on to a service, but lets nobody open a socket to it. */
export function withoutSockets(url: string): Promise<string> {
  return answering(async (request, response) => {
    const { method = 'GET', headers } = request;
    const body = method === 'GET' ? undefined : await text(request);
    const sent = await fetch(url + request.url, {
      method,
      headers: { 'content-type': headers['content-type'] ?? 'text/csv' },
      ...(body !== undefined && { body }),
    });
    response.writeHead(sent.status, { 'content-type': sent.headers.get('content-type') ?? '' });
    response.end(await sent.text());
  });
}

/** A problem document, as the service would send it. */
export function problem(status: number, code: string, more: Record<string, unknown> = {}): string {
  const said = {
    type: `/problems/${code}`,
    title: code,
    detail: `It said ${code}.`,
    instance: '/',
    request_id: 'r',
  };
  return JSON.stringify({ ...said, status, code, ...more });
}

export const headerOf = ({ headers }: IncomingMessage, name: string): string | undefined =>
  headers[name]?.toString();

/** An address at which nothing listens. */
export async function deadUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
