import multipart from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import {
  dryRunSchema,
  portfolioInputSchema,
  uploadBytesMax,
  uploadedSchema,
  uploadOptionsSchema,
} from '../../contract/schemas.ts';
import type { Portfolios } from '../../contract/service.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Api } from '../http/fastify.types.ts';
import { portfolioLinks, portfolioPath } from '../http/links.ts';
import { changeProblems, responses } from '../problems/declared-responses.ts';
import { refuse } from '../problems/refusals.ts';
import { dryRunView } from './dry-run-view.ts';
import { idempotencyHeadersSchema, readIdempotencyKey } from './idempotency-key.ts';
import { mediaType, readUpload, refuseTooManyRows, unsupported } from './upload.request.ts';

/** The upload of portfolios. Needs a scope of its own, because it accepts content types that other routes do not. */
export async function uploadRoutes(app: Api, portfolios: Portfolios): Promise<void> {
  await app.register(multipart);
  // Bytes here; the service decides whether they are CSV.
  app.addContentTypeParser('text/csv', { parseAs: 'buffer' }, async (_: unknown, bytes: Buffer) => bytes);
  app.setErrorHandler((error, request) => {
    throw explainUpload(error, request);
  });
  uploadRoute(app, portfolios);
}

const made = ['location', 'idempotency-replayed'];

function uploadRoute(app: Api, portfolios: Portfolios): void {
  const schema = {
    operationId: 'uploadPortfolio',
    tags: ['portfolios'],
    summary: 'Upload a portfolio',
    description:
      'Saves a portfolio at once and starts the onboarding of each new symbol. Send `text/csv`, a form with the part ' +
      '`file`, or JSON. All or nothing: a refused upload saves nothing. 201: every symbol is known. 202: the symbols in ' +
      '`pending_symbols` are being onboarded; watch their status or the feed. With `dry_run` nothing is saved and the ' +
      'status is 200; `would` has the outcome. Symbols that the provider cannot verify now are a 503, or warnings if the ' +
      'service defers their verification (UNVERIFIABLE). With an `Idempotency-Key` an upload is saved once, however ' +
      'often it is sent within a day: the same upload gets the same response with the header `idempotency-replayed`, ' +
      'even if the portfolio was deleted since; another upload with that key is refused. Refused uploads and dry runs do ' +
      'not use a key.',
    consumes: ['text/csv', 'multipart/form-data', 'application/json'],
    headers: idempotencyHeadersSchema,
    querystring: uploadOptionsSchema,
    body: { content: { 'application/json': { schema: portfolioInputSchema } } },
    response: responses(
      { 200: dryRunSchema, 201: uploadedSchema, 202: uploadedSchema },
      [
        ...changeProblems,
        'malformed_form',
        'invalid_form',
        'invalid_rows',
        'invalid_symbols',
        'too_many_symbols',
        'queue_full',
        'symbols_unverifiable',
        'idempotency_in_flight',
        'idempotency_key_reused',
      ],
      { 201: made, 202: made, 409: ['retry-after'] },
    ),
  };
  const config = { rate: 'uploads' } as const;
  app.post('/portfolios', { schema, config, preValidation: refuseTooManyRows }, async (request, reply) => {
    const { upload, isDryRun } = await readUpload(request, request.query);
    const input = { ...upload, owner: request.viewer.name };
    if (isDryRun) return reply.code(200).send(dryRunView(await portfolios.dryRun(input)));
    const key = readIdempotencyKey(request.headers['idempotency-key'] ?? '') ?? undefined;
    const answer = await portfolios.upload(input, { key });
    if (answer.kind !== 'created' && answer.kind !== 'replayed') throw refuse(answer);
    if (answer.kind === 'replayed') reply.header('idempotency-replayed', 'true');
    const { kind: _, ...created } = answer.kind === 'replayed' ? answer.created : answer;
    const { portfolio_id: id, status } = created;
    return reply
      .code(status === 'ready' ? 201 : 202)
      .header('location', portfolioPath(id))
      .send({ ...created, links: portfolioLinks(id) });
  });
}

/** Replaces errors of Fastify by ones that say what an upload may be. */
function explainUpload(error: unknown, request: FastifyRequest): unknown {
  const { code } = error as { code?: unknown };
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return unsupported(request);
  const tooLarge = ['FST_ERR_CTP_BODY_TOO_LARGE', 'FST_REQ_FILE_TOO_LARGE', 'payload_too_large'];
  if (!tooLarge.includes(String(code)) || mediaType(request) === 'application/json') return error;
  const message = 'The file is larger than 10 MiB. Split the portfolio into several uploads.';
  return new AppError('payload_too_large', message, {
    details: { limit: uploadBytesMax, errors: [{ code: 'ERR_CSV_001', message }] },
  });
}
