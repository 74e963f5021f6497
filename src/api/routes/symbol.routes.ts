import type { FastifyReply, FastifyRequest } from 'fastify';
import { validatorCompiler } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  exposuresQuerySchema,
  exposuresSchema,
  pricesQuerySchema,
  pricesSchema,
  type SymbolStatusView,
  statusesQuerySchema,
  symbolParameterSchema,
  symbolSchema,
  symbolStatusesSchema,
  symbolStatusSchema,
  symbolsQuerySchema,
  symbolsSchema,
} from '../../contract/schemas.ts';
import type { Symbols } from '../../contract/service.ts';
import { AppError } from '../../kernel/errors.ts';
import { etagOf } from '../http/etag.ts';
import type { Api } from '../http/fastify.types.ts';
import { jobPath, symbolLinks } from '../http/links.ts';
import type { Waiters } from '../http/long-polling.ts';
import { preferHeaders, settledAlready, whenSettled } from '../http/prefer-wait.request.ts';
import { deferredChild } from '../http/request-log.ts';
import { changeProblems, responses } from '../problems/declared-responses.ts';
import { refuse } from '../problems/refusals.ts';

const params = z.strictObject({ symbol: symbolParameterSchema });
const tags = ['symbols'];

/** Data of a symbol, and whether it is ready for analytics. */
export function symbolRoutes(app: Api, symbols: Symbols, waiters: Waiters): void {
  searchRoute(app, symbols);
  statusesRoute(app, symbols);
  statusRoute(app, symbols, waiters);
  onboardRoute(app, symbols);
  profileRoute(app, symbols);
  pricesRoute(app, symbols);
  exposuresRoute(app, symbols);
}

function found<View>(view: View | null, symbol: string): View {
  if (view === null) throw new AppError('symbol_unknown', `${symbol} is not in the universe.`);
  return view;
}

function searchRoute(app: Api, symbols: Symbols): void {
  const schema = {
    operationId: 'searchSymbols',
    tags,
    summary: 'Search the universe',
    description:
      'Symbols whose symbol or name contains `query`, with their status, including those that are being onboarded. ' +
      'Pages by `limit` and `cursor`.',
    querystring: symbolsQuerySchema,
    response: responses({ 200: symbolsSchema }),
  };
  app.get('/symbols', { schema }, async ({ query }) => {
    const { symbols: found, next_cursor } = await symbols.search(query);
    return { symbols: found.map((view) => ({ ...view, links: symbolLinks(view.symbol) })), next_cursor };
  });
}

function statusesRoute(app: Api, symbols: Symbols): void {
  const schema = {
    operationId: 'listSymbolStatuses',
    tags,
    summary: 'Are these symbols ready for analytics?',
    description: 'The status of each symbol in the order of the query, without duplicates.',
    querystring: statusesQuerySchema,
    response: responses({ 200: symbolStatusesSchema }),
  };
  app.get('/symbols/status', { schema }, async ({ query }) => {
    const views = await symbols.statuses(query.symbols);
    return { symbols: views.map((view) => ({ ...view, links: symbolLinks(view.symbol, view.job_id) })) };
  });
}

function onboardRoute(app: Api, symbols: Symbols): void {
  const schema = {
    operationId: 'onboardSymbol',
    tags,
    summary: 'Onboard one symbol without a portfolio',
    description:
      '200: the symbol is already ready. 202: a new or existing job onboards it; `Location` is the job. A symbol with old ' +
      'prices is onboarded again and stays ready meanwhile.',
    params,
    response: responses(
      { 200: symbolStatusSchema, 202: symbolStatusSchema },
      [...changeProblems, 'invalid_symbols', 'too_many_symbols', 'queue_full', 'symbols_unverifiable'],
      { 202: ['location'] },
    ),
  };
  const config = { rate: 'uploads' } as const;
  app.post(
    '/symbols/:symbol/onboarding',
    { schema, config },
    async ({ params: { symbol }, viewer }, reply) => {
      const answer = await symbols.onboard(symbol, viewer);
      if (answer.kind !== 'ready' && answer.kind !== 'admitted') throw refuse(answer);
      if (answer.kind === 'admitted') reply.code(202).header('location', jobPath(answer.job_id));
      const { view } = answer;
      return { ...view, links: symbolLinks(view.symbol, view.job_id) };
    },
  );
}

function statusRoute(app: Api, symbols: Symbols, waiters: Waiters): void {
  const schema = {
    operationId: 'getSymbolStatus',
    tags,
    summary: 'Is this symbol ready for analytics?',
    description:
      'Always 200; a symbol that was never requested is `unknown`. `estimated_seconds` is based on measured phase times ' +
      'and the queue ahead. `message` says what is happening or what went wrong. With `Prefer: wait=N` the response is ' +
      'held while the status is `pending` or `processing`.',
    params,
    response: responses({ 200: symbolStatusSchema }, [], { 200: ['preference-applied', 'vary'] }),
  };
  // Polled often: a log line or just a logger per request would cost as much as the rest of the route.
  const options = {
    schema,
    config: { headers: preferHeaders },
    logLevel: 'warn',
    childLoggerFactory: deferredChild,
    validatorCompiler: plainFirst as never,
  } as const;
  app.get('/symbols/:symbol/status', options, (request, reply) => {
    const known = symbols.remembered(request.params.symbol);
    if (!known) return read(request, reply);
    settledAlready(request, reply);
    sendReady(reply, known);
    return undefined;
  });

  async function read(request: FastifyRequest<{ Params: z.output<typeof params> }>, reply: FastifyReply) {
    const view = await whenSettled(request as FastifyRequest, reply, waiters, {
      read: () => symbols.status(request.params.symbol),
      pendingSymbols: ({ symbol, status }) =>
        status === 'pending' || status === 'processing' ? [symbol] : null,
    });
    return linked(view);
  }
}

const plain = /^[A-Z0-9.^=_&-]{1,32}$/;

/** Skips the schema for plain symbols, which most requests have: it takes 4 of 60 µs. */
function plainFirst(route: Parameters<typeof validatorCompiler>[0]): ReturnType<typeof validatorCompiler> {
  const check = validatorCompiler(route);
  return (data) => (plain.test((data as { symbol: string }).symbol) ? { value: data } : check(data));
}

function sendReady(reply: FastifyReply, view: SymbolStatusView): void {
  const { body, etag } = ready(view);
  reply.type('application/json; charset=utf-8').header('etag', etag).serializer(String).send(body);
}

const linked = (view: SymbolStatusView) => ({ ...view, links: symbolLinks(view.symbol, view.job_id) });

/**
 * The serialised response for a ready symbol, made once while the cache holds the view: validating and serialising it
 * for every poll took most of the route's time.
 */
function ready(view: SymbolStatusView): { body: string; etag: string } {
  const known = readyAnswers.get(view);
  if (known) return known;
  const body = JSON.stringify(symbolStatusSchema.parse(linked(view)));
  const answer = { body, etag: etagOf(body) };
  readyAnswers.set(view, answer);
  return answer;
}
const readyAnswers = new WeakMap<SymbolStatusView, { body: string; etag: string }>();

function profileRoute(app: Api, symbols: Symbols): void {
  const schema = {
    operationId: 'getSymbol',
    tags,
    summary: 'The profile of a symbol',
    description: 'Name, type, currency, last close and quality of the exposures, from the universe.',
    params,
    response: responses({ 200: symbolSchema }, ['symbol_unknown']),
  };
  app.get('/symbols/:symbol', { schema }, async ({ params: { symbol } }) => {
    const view = found(await symbols.profile(symbol), symbol);
    return { ...view, links: symbolLinks(view.symbol) };
  });
}

function pricesRoute(app: Api, symbols: Symbols): void {
  const schema = {
    operationId: 'listPrices',
    tags,
    summary: 'Daily bars of a symbol',
    description:
      "Completed sessions only, ascending, in the symbol's major currency. `close` values positions; " +
      '`adjusted_close` is adjusted for splits and dividends and makes returns.',
    params,
    querystring: pricesQuerySchema,
    response: responses({ 200: pricesSchema }, ['symbol_unknown']),
  };
  app.get('/symbols/:symbol/prices', { schema }, async ({ params: { symbol }, query }) =>
    found(await symbols.prices(symbol, query), symbol),
  );
}

function exposuresRoute(app: Api, symbols: Symbols): void {
  const schema = {
    operationId: 'listExposures',
    tags,
    summary: 'The twelve factor exposures of a symbol',
    description:
      'Betas to daily simple returns of the factor proxies. A row of quality `default` is a placeholder, not a ' +
      'measurement. The six style betas come from one ridge regression: do not interpret them one by one. Do not add ' +
      'spread and market betas: they answer separate questions.',
    params,
    querystring: exposuresQuerySchema,
    response: responses({ 200: exposuresSchema }, ['symbol_unknown']),
  };
  app.get('/symbols/:symbol/exposures', { schema }, async ({ params: { symbol }, query }) =>
    found(await symbols.exposures(symbol, query), symbol),
  );
}
