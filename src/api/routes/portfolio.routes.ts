import { z } from 'zod';
import {
  idSchema,
  type PortfolioView,
  portfolioExposuresSchema,
  portfolioSchema,
  portfoliosQuerySchema,
  portfoliosSchema,
  positionsQuerySchema,
  positionsSchema,
  snapshotsQuerySchema,
  snapshotsSchema,
} from '../../contract/schemas.ts';
import type { Portfolios } from '../../contract/service.ts';
import { portfolioTemplate } from '../../import/template-csv.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Api } from '../http/fastify.types.ts';
import { portfolioLinks } from '../http/links.ts';
import type { Waiters } from '../http/long-polling.ts';
import { preferHeaders, whenSettled } from '../http/prefer-wait.request.ts';
import { changeProblems, publicResponses, responses } from '../problems/declared-responses.ts';

const params = z.strictObject({ id: idSchema });
const tags = ['portfolios'];

/** Uploaded portfolios: status, lots, totals, exposures. */
export function portfolioRoutes(app: Api, portfolios: Portfolios, waiters: Waiters): void {
  listRoute(app, portfolios);
  templateRoute(app);
  findRoute(app, portfolios, waiters);
  deleteRoute(app, portfolios);
  positionsRoute(app, portfolios);
  snapshotsRoute(app, portfolios);
  exposuresRoute(app, portfolios);
}

function found<View>(view: View | null, id: string): View {
  if (view === null) throw new AppError('portfolio_not_found', `There is no portfolio ${id}.`);
  return view;
}

function listRoute(app: Api, portfolios: Portfolios): void {
  const schema = {
    operationId: 'listPortfolios',
    tags,
    summary: 'Portfolios, newest first',
    description:
      'Your own; an operator sees all. Each with its status and its latest totals. Pages by `limit` and `cursor`; ' +
      'new portfolios never shift a page.',
    querystring: portfoliosQuerySchema,
    response: responses({ 200: portfoliosSchema }),
  };
  app.get('/portfolios', { schema }, async ({ query, viewer }) => {
    const { portfolios: found, next_cursor } = await portfolios.list(query, viewer);
    const linked = found.map((view) => ({ ...view, links: portfolioLinks(view.portfolio_id) }));
    return { portfolios: linked, next_cursor };
  });
}

function templateRoute(app: Api): void {
  const schema = {
    operationId: 'getPortfolioTemplate',
    tags,
    summary: 'The portfolio template, as CSV',
    description:
      'All columns, with comments and an example of each kind of lot. It can be uploaded unchanged.',
    produces: ['text/csv'],
    response: publicResponses({ 200: z.string().meta({ description: 'CSV: RFC 4180, UTF-8.' }) }, [], {
      200: ['content-disposition'],
    }),
  };
  const config = { produces: ['text/csv'], public: true };
  app.get('/portfolios/template.csv', { schema, config }, async (_request, reply) =>
    reply
      .type('text/csv; charset=utf-8; header=present')
      .header('content-disposition', 'attachment; filename="portfolio-template.csv"')
      .send(portfolioTemplate()),
  );
}

function deleteRoute(app: Api, portfolios: Portfolios): void {
  const schema = {
    operationId: 'deletePortfolio',
    tags,
    summary: 'Delete a portfolio',
    description:
      'Deletes its lots and history permanently. The onboarding of its symbols continues: others may need them.',
    params,
    response: responses({ 204: z.null().meta({ description: 'Deleted.' }) }, [
      ...changeProblems,
      'portfolio_not_found',
    ]),
  };
  app.delete('/portfolios/:id', { schema }, async ({ params: { id }, viewer }, reply) => {
    found((await portfolios.remove(id, viewer)) || null, id);
    return reply.code(204).send(null);
  });
}

function findRoute(app: Api, portfolios: Portfolios, waiters: Waiters): void {
  const schema = {
    operationId: 'getPortfolio',
    tags,
    summary: 'A portfolio and its onboarding progress',
    description:
      'Status, progress, the status of each symbol that an open lot needs, and the latest snapshot. `snapshot` is null ' +
      'while no lot is priced. With `Prefer: wait=N` the response is held while the status is `pending`.',
    params,
    response: responses({ 200: portfolioSchema }, ['portfolio_not_found'], {
      200: ['preference-applied', 'vary'],
    }),
  };
  const options = { schema, config: { headers: preferHeaders } };
  app.get('/portfolios/:id', options, async (request, reply) => {
    const { id } = request.params;
    const view = await whenSettled(request, reply, waiters, {
      read: () => portfolios.find(id, request.viewer),
      pendingSymbols: (view) => (view?.status === 'pending' ? unfinishedIn(view) : null),
    });
    return { ...found(view, id), links: portfolioLinks(id) };
  });
}

// A ready symbol may have a refresh in progress; then its phase is not null.
const unfinishedIn = ({ symbols }: PortfolioView) =>
  symbols
    .filter(({ status, phase }) => phase !== null || status === 'pending' || status === 'processing')
    .map(({ symbol }) => symbol);

function positionsRoute(app: Api, portfolios: Portfolios): void {
  const schema = {
    operationId: 'listPositions',
    tags,
    summary: 'The lots of a portfolio',
    description:
      'Every lot as uploaded, its price, or why it has none. The unrounded market values and costs of the priced lots ' +
      'sum up to the latest snapshot. Pages by `limit` and `cursor`.',
    params,
    querystring: positionsQuerySchema,
    response: responses({ 200: positionsSchema }, ['portfolio_not_found']),
  };
  app.get('/portfolios/:id/positions', { schema }, async ({ params: { id }, query, viewer }) =>
    found(await portfolios.positions(id, query, viewer), id),
  );
}

function snapshotsRoute(app: Api, portfolios: Portfolios): void {
  const schema = {
    operationId: 'listSnapshots',
    tags,
    summary: 'The history of the totals of a portfolio',
    description: 'One snapshot per price date, the latest first. Pages by `limit` and `cursor`.',
    params,
    querystring: snapshotsQuerySchema,
    response: responses({ 200: snapshotsSchema }, ['portfolio_not_found']),
  };
  app.get('/portfolios/:id/snapshots', { schema }, async ({ params: { id }, query, viewer }) =>
    found(await portfolios.snapshots(id, query, viewer), id),
  );
}

function exposuresRoute(app: Api, portfolios: Portfolios): void {
  const schema = {
    operationId: 'listPortfolioExposures',
    tags,
    summary: 'The factor exposures of a portfolio',
    description:
      'Per factor: signed market value times beta, summed over the priced lots, separately for measured betas and ' +
      'placeholders. `beta_net` is null, with a reason, if long and short values nearly cancel out. Do not add figures ' +
      'of the groups market, rates, style and spread: they answer separate questions.',
    params,
    response: responses({ 200: portfolioExposuresSchema }, ['portfolio_not_found']),
  };
  app.get('/portfolios/:id/exposures', { schema }, async ({ params: { id }, viewer }) =>
    found(await portfolios.exposures(id, viewer), id),
  );
}
