import { ticketSchema } from '../../contract/schemas.ts';
import type { Tickets } from '../../contract/service.ts';
import type { Api } from '../http/fastify.types.ts';
import { changeProblems, responses } from '../problems/declared-responses.ts';

/** For browsers, which cannot send a header with a WebSocket or an `EventSource`. */
export function ticketRoutes(app: Api, tickets: Tickets): void {
  const schema = {
    operationId: 'createTicket',
    tags: ['access'],
    summary: 'A ticket to open one WebSocket or event stream with',
    description:
      'Open `/ws?ticket=…` or `/events?…&ticket=…` with it within 30 s, once. It stands for whoever asked for it, on every node. A program ' +
      'that can send a header needs none.',
    response: responses({ 201: ticketSchema }, changeProblems),
  };
  app.post('/tickets', { schema, config: { rate: 'uploads' } }, async ({ viewer }, reply) =>
    reply
      .code(201)
      .header('cache-control', 'no-store')
      .send(await tickets.issue(viewer)),
  );
}
