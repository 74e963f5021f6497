import { z } from 'zod';
import { AppError } from '../errors.ts';
import type { Api } from './fastify.types.ts';
import { symbolLinks } from './links.ts';
import { responses } from './responses.ts';
import {
  exposuresQuerySchema,
  exposuresSchema,
  pricesQuerySchema,
  pricesSchema,
  symbolParameterSchema,
  symbolSchema,
  symbolStatusSchema,
} from './schemas.ts';
import type { Symbols } from './service.ts';

const params = z.strictObject({ symbol: symbolParameterSchema });
const tags = ['symbols'];

/** What is known of a symbol, and whether the analytics can use it yet. */
export function symbolRoutes(app: Api, symbols: Symbols): void {
  statusRoute(app, symbols);
  profileRoute(app, symbols);
  pricesRoute(app, symbols);
  exposuresRoute(app, symbols);
}

function found<View>(view: View | null, symbol: string): View {
  if (view === null) throw new AppError('symbol_unknown', `${symbol} is not in the universe.`);
  return view;
}

function statusRoute(app: Api, symbols: Symbols): void {
  const schema = {
    operationId: 'getSymbolStatus',
    tags,
    summary: 'Is this symbol ready for analytics?',
    description:
      'Always 200: a symbol that nobody asked for is `unknown`. `estimated_seconds` comes from measured phase ' +
      'times and the queue ahead. `message` says in plain words what is going on, or what went wrong.',
    params,
    response: responses({ 200: symbolStatusSchema }),
  };
  app.get('/symbols/:symbol/status', { schema }, async ({ params: { symbol } }) => {
    const view = await symbols.status(symbol);
    return { ...view, links: symbolLinks(view.symbol, view.job_id) };
  });
}

function profileRoute(app: Api, symbols: Symbols): void {
  const schema = {
    operationId: 'getSymbol',
    tags,
    summary: 'The profile of a symbol',
    description: 'What the universe holds: name, type, currency, last close, quality of the exposures.',
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
      'Betas to daily simple returns of the factor proxies. A row of quality `default` is a labelled placeholder, ' +
      'not a measurement. The six style betas come from one ridge regression and are not to be read one by one; ' +
      'spread and market betas answer separate questions and must not be added.',
    params,
    querystring: exposuresQuerySchema,
    response: responses({ 200: exposuresSchema }, ['symbol_unknown']),
  };
  app.get('/symbols/:symbol/exposures', { schema }, async ({ params: { symbol }, query }) =>
    found(await symbols.exposures(symbol, query), symbol),
  );
}
