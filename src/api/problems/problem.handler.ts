import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { problemType } from './declared-responses.ts';
import { toProblem } from './to-problem.ts';

/** Responds to every failed request with problem details, and logs what the response hides. */
export function problemHandler(clock: Clock) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const { problem, headers } = toProblem(error, {
      instance: pathOf(request.url),
      requestId: request.id,
      now: clock.now(),
      inputs: { params: request.params, querystring: request.query, headers: request.headers },
    });
    const { code, status } = problem;
    // The details of an AppError quote the upload, so only the code of a refusal is logged.
    if (status === 500) request.log.error({ err: error }, 'request failed');
    else if (error instanceof AppError && error.cause !== undefined)
      request.log.warn({ code, err: error.cause }, 'request refused');
    else request.log.info({ code }, 'request refused');
    discardBody(request, reply);
    return reply
      .code(status)
      .headers({ ...headers, 'x-request-id': request.id })
      .type(problemType)
      .serializer(JSON.stringify)
      .send(problem);
  };
}

const lingerMs = 2000; // long enough for a client that reads the response to stop sending

/**
 * Reads and discards the rest of a refused body for a while (lingering close).
 *
 * Fastify closes at once. That resets the connection of a client that is still sending, which then sees a broken pipe
 * instead of the response.
 */
function discardBody({ raw }: FastifyRequest, reply: FastifyReply): void {
  if (raw.complete || raw.readableEnded || raw.headers.upgrade !== undefined) return;
  reply.removeHeader('connection');
  raw.unpipe();
  raw.resume();
  const timer = setTimeout(() => raw.socket.destroy(), lingerMs).unref();
  raw.once('end', () => clearTimeout(timer));
}

export function pathOf(url: string): string {
  return url.split('?')[0] ?? url;
}

/** Responds with problem details to bytes that are not an HTTP request, for which Fastify has no reply object. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const failure = new AppError(...(clientErrors[error.code ?? ''] ?? notHttp));
  const { problem } = toProblem(failure, { instance: '', requestId: '', now: 0 });
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    `Content-Type: ${problemType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  if (socket.writable) socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroy(error);
}

const notHttp: [string, string] = ['malformed_request', 'Not a valid HTTP/1.1 request.'];

const clientErrors: Record<string, [string, string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'The request timed out before it was complete.'],
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'The headers are larger than 16 KiB.'],
};
