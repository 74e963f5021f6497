import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import {
  type portfolioInputSchema,
  portfolioNameMax,
  portfolioNameSchema,
  positionRowsMax,
  uploadBytesMax,
  uploadOptionsSchema,
  uploadTypes,
} from '../../contract/schemas.ts';
import type { UploadInput } from '../../contract/service.ts';
import { AppError } from '../../kernel/errors.ts';
import { requestRefused } from '../problems/to-problem.ts';
import { readForm } from './upload.form.ts';

type UploadOptions = z.infer<typeof uploadOptionsSchema>;
type Source = UploadInput['source'];

export interface UploadRequest {
  upload: Omit<UploadInput, 'owner'>;
  isDryRun: boolean;
}

const nameDefault = 'Portfolio';

/**
 * Reads an upload in any of its three content types.
 *
 * Options may be in the query for each type; those in the form or the JSON body override them. The default name is that
 * of the uploaded file.
 */
export async function readUpload(request: FastifyRequest, query: UploadOptions): Promise<UploadRequest> {
  switch (mediaType(request)) {
    case 'text/csv':
      return describe({ kind: 'csv', bytes: request.body as Buffer }, query);
    case 'multipart/form-data': {
      const { fields, file } = await readForm(request, uploadBytesMax);
      return describe({ kind: 'csv', bytes: file.bytes }, { ...query, ...readFields(fields) }, file.name);
    }
    case 'application/json': {
      const { positions, ...options } = request.body as z.infer<typeof portfolioInputSchema>;
      return describe({ kind: 'json', positions }, { ...query, ...options });
    }
    default:
      throw unsupported(request);
  }
}

export function mediaType({ headers }: FastifyRequest): string | undefined {
  return headers['content-type']?.split(';')[0]?.trim().toLowerCase();
}

export function unsupported({ headers }: FastifyRequest): AppError {
  const type = headers['content-type'];
  const wrong = type === undefined ? 'Missing content type' : `Unsupported content type ${type}`;
  return new AppError('unsupported_media_type', `${wrong}. Allowed: ${uploadTypes.join(', ')}.`, {
    details: { accept: uploadTypes },
  });
}

/** Refuses a huge array before the schema validates each of its elements. */
export async function refuseTooManyRows({ body }: FastifyRequest): Promise<void> {
  const { positions } = (body ?? {}) as { positions?: unknown };
  if (!Array.isArray(positions) || positions.length <= positionRowsMax) return;
  const message = `Too many positions: ${positions.length}. Allowed: at most ${positionRowsMax}.`;
  throw new AppError('payload_too_large', message, { details: { limit: positionRowsMax } });
}

function describe(source: Source, options: UploadOptions, fileName = ''): UploadRequest {
  const upload = {
    source,
    name: options.name ?? nameOf(fileName),
    baseCurrency: options.base_currency ?? 'USD',
    allowDuplicates: options.allow_duplicates ?? false,
  };
  return { upload, isDryRun: options.dry_run ?? false };
}

/** `my portfolio.csv` names the portfolio `my portfolio`, if that is a name at all. */
function nameOf(fileName: string): string {
  const stem = fileName.replace(/\.[^.]*$/, '').slice(0, portfolioNameMax);
  return portfolioNameSchema.safeParse(stem).data ?? nameDefault;
}

function readFields(fields: Record<string, string>): UploadOptions {
  const result = uploadOptionsSchema.safeParse(fields);
  if (result.success) return result.data;
  throw requestRefused({ where: 'form', issues: result.error.issues, values: fields });
}
