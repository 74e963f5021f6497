import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { problemType } from './declared-responses.ts';
import { toProblem } from './to-problem.ts';

/** Answers every failure of a request with problem details, and logs what the client is not told. */
export function problemHandler(clock: Clock) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const { problem, headers } = toProblem(error, {
      instance: pathOf(request.url),
      requestId: request.id,
      now: clock.now(),
      inputs: { params: request.params, querystring: request.query, headers: request.headers },
    });
    const { code, status } = problem;
    // An AppError's details quote the upload, so a refusal is logged by its code alone.
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

const lingerMs = 2000; // a client that has not stopped sending by then does not listen

/**
 * Reads what is left of a refused body, for a while, and throws it away.
 *
 * Closing at once, as Fastify would, resets the connection under a client that is still sending: it would see a
 * broken pipe instead of the answer.
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

/** Answers bytes that are no HTTP request, in the same words: there is no request to hang a reply on. */
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

const notHttp: [string, string] = ['malformed_request', 'This is not an HTTP/1.1 request.'];

const clientErrors: Record<string, [string, string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['request_timeout', 'The request did not arrive in time.'],
  HPE_HEADER_OVERFLOW: ['headers_too_large', 'The headers are larger than 16 KiB.'],
};
