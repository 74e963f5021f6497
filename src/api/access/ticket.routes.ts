import { ticketSchema } from '../../contract/schemas.ts';
import type { Tickets } from '../../contract/service.ts';
import type { Api } from '../http/fastify.types.ts';
import { changeProblems, responses } from '../problems/declared-responses.ts';

/** For browsers, which cannot send headers with a WebSocket or an `EventSource`. */
export function ticketRoutes(app: Api, tickets: Tickets): void {
  const schema = {
    operationId: 'createTicket',
    tags: ['access'],
    summary: 'Get a ticket for one WebSocket or event stream',
    description:
      'Use it once, within 30 s, as `/ws?ticket=…` or `/events?…&ticket=…`. It has the rights of the token that requested ' +
      'it, on every node. A client that can send headers does not need one.',
    response: responses({ 201: ticketSchema }, changeProblems),
  };
  app.post('/tickets', { schema, config: { rate: 'uploads' } }, async ({ viewer }, reply) =>
    reply
      .code(201)
      .header('cache-control', 'no-store')
      .send(await tickets.issue(viewer)),
  );
}
