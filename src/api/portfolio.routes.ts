import multipart from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { portfolioTemplate } from '../portfolio/template.ts';
import type { Api } from './fastify.types.ts';
import { portfolioLinks, portfolioPath } from './links.ts';
import { refuse } from './refusals.ts';
import { changeProblems, responses } from './responses.ts';
import {
  idSchema,
  portfolioExposuresSchema,
  portfolioInputSchema,
  portfolioSchema,
  portfoliosQuerySchema,
  portfoliosSchema,
  positionsQuerySchema,
  positionsSchema,
  snapshotsQuerySchema,
  snapshotsSchema,
  uploadBytesMax,
  uploadedSchema,
  uploadOptionsSchema,
} from './schemas.ts';
import type { Portfolios } from './service.ts';
import { mediaType, readUpload, refuseTooManyRows, unsupported } from './upload.request.ts';

const params = z.strictObject({ id: idSchema });
const tags = ['portfolios'];

/** What goes in as a file, and what became of it. */
export async function portfolioRoutes(app: Api, portfolios: Portfolios): Promise<void> {
  await app.register(multipart);
  // The service decides whether it is CSV; here it is bytes.
  app.addContentTypeParser('text/csv', { parseAs: 'buffer' }, async (_: unknown, bytes: Buffer) => bytes);
  app.setErrorHandler((error, request) => {
    throw explainUpload(error, request);
  });
  uploadRoute(app, portfolios);
  listRoute(app, portfolios);
  templateRoute(app);
  findRoute(app, portfolios);
  deleteRoute(app, portfolios);
  positionsRoute(app, portfolios);
  snapshotsRoute(app, portfolios);
  exposuresRoute(app, portfolios);
}

function uploadRoute(app: Api, portfolios: Portfolios): void {
  const schema = {
    operationId: 'uploadPortfolio',
    tags,
    summary: 'Upload a portfolio',
    description:
      'Saves a portfolio at once and starts the onboarding of each new symbol. As `text/csv`, as a form with the ' +
      'part `file`, or as JSON. All or nothing: a refused upload leaves nothing behind. 201: every symbol is known. ' +
      '202: the symbols in `pending_symbols` are being onboarded; watch their status or the feed.',
    consumes: ['text/csv', 'multipart/form-data', 'application/json'],
    querystring: uploadOptionsSchema,
    body: { content: { 'application/json': { schema: portfolioInputSchema } } },
    response: responses(
      { 201: uploadedSchema, 202: uploadedSchema },
      [
        ...changeProblems,
        'malformed_form',
        'invalid_form',
        'invalid_rows',
        'invalid_symbols',
        'too_many_symbols',
        'queue_full',
        'symbols_unverifiable',
      ],
      { 201: ['location'], 202: ['location'] },
    ),
  };
  app.post('/portfolios', { schema, preValidation: refuseTooManyRows }, async (request, reply) => {
    const upload = await readUpload(request, request.query);
    const answer = await portfolios.upload({ ...upload, owner: request.viewer.name });
    if (answer.kind !== 'created') throw refuse(answer);
    const { kind: _, ...created } = answer;
    const { portfolio_id: id, status } = created;
    return reply
      .code(status === 'ready' ? 201 : 202)
      .header('location', portfolioPath(id))
      .send({ ...created, links: portfolioLinks(id) });
  });
}

/** The framework's errors do not know what an upload expects. */
function explainUpload(error: unknown, request: FastifyRequest): unknown {
  const { code } = error as { code?: unknown };
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return unsupported(request);
  const tooLarge = ['FST_ERR_CTP_BODY_TOO_LARGE', 'FST_REQ_FILE_TOO_LARGE', 'payload_too_large'];
  if (!tooLarge.includes(String(code)) || mediaType(request) === 'application/json') return error;
  const message = 'The file is larger than 10 MiB: split the portfolio into several uploads.';
  return new AppError('payload_too_large', message, {
    details: { limit: uploadBytesMax, errors: [{ code: 'ERR_CSV_001', message }] },
  });
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
    description: 'Every column, with an example of each kind of lot and comments. It uploads as it is.',
    produces: ['text/csv'],
    response: responses({ 200: z.string().meta({ description: 'CSV: RFC 4180, UTF-8.' }) }, [], {
      200: ['content-disposition'],
    }),
  };
  const config = { produces: ['text/csv'] };
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
      'With its lots and its history, for good. The onboarding of its symbols goes on: others may need them.',
    params,
    response: responses({ 204: z.null().meta({ description: 'It is gone.' }) }, [
      ...changeProblems,
      'portfolio_not_found',
    ]),
  };
  app.delete('/portfolios/:id', { schema }, async ({ params: { id }, viewer }, reply) => {
    found((await portfolios.remove(id, viewer)) || null, id);
    return reply.code(204).send(null);
  });
}

function findRoute(app: Api, portfolios: Portfolios): void {
  const schema = {
    operationId: 'getPortfolio',
    tags,
    summary: 'A portfolio and how far its onboarding is',
    description:
      'Status, progress, the status of each symbol that an open lot needs, and the latest snapshot. `snapshot` is ' +
      'null while no lot is priced, never zeros.',
    params,
    response: responses({ 200: portfolioSchema }, ['portfolio_not_found']),
  };
  app.get('/portfolios/:id', { schema }, async ({ params: { id }, viewer }) => {
    const view = found(await portfolios.find(id, viewer), id);
    return { ...view, links: portfolioLinks(id) };
  });
}

function positionsRoute(app: Api, portfolios: Portfolios): void {
  const schema = {
    operationId: 'listPositions',
    tags,
    summary: 'The lots of a portfolio',
    description:
      'Every lot as uploaded, how it is priced, and if not, why. The market values and costs of the priced lots ' +
      'sum, unrounded, to the latest snapshot. Pages by `limit` and `cursor`.',
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
    summary: 'The history of totals of a portfolio',
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
      'Per factor the signed market value times beta, summed over the priced lots: measured betas and labelled ' +
      'placeholders apart. `beta_net` is null with its reason where long and short nearly cancel. Market, rates, ' +
      'style and spread figures answer separate questions and must not be added.',
    params,
    response: responses({ 200: portfolioExposuresSchema }, ['portfolio_not_found']),
  };
  app.get('/portfolios/:id/exposures', { schema }, async ({ params: { id }, viewer }) =>
    found(await portfolios.exposures(id, viewer), id),
  );
}
