import type { Multipart, MultipartFile } from '@fastify/multipart';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../../kernel/errors.ts';

export interface UploadForm {
  fields: Record<string, string>;
  file: { name: string; bytes: Buffer };
}

const fields = ['name', 'base_currency', 'allow_duplicates', 'dry_run'];
const fieldBytesMax = 4096;

// A part named `file` is the file even without a file name: some programs send it as plain text.
const isPartAFile = (field: string | undefined, type: string | undefined, fileName: string | undefined) =>
  field === 'file' || fileName !== undefined || type === 'application/octet-stream';

/**
 * Reads the upload form: one part `file`, and the fields of SPEC 8, in any order.
 *
 * The file is held in memory, at most `fileBytesMax`; a larger one is refused at the limit instead of being read to its
 * end. Throws `payload_too_large`, `invalid_form`, `malformed_form`.
 */
export async function readForm(request: FastifyRequest, fileBytesMax: number): Promise<UploadForm> {
  const form: { fields: Record<string, string>; file?: UploadForm['file'] } = { fields: {} };
  const limits = {
    fileSize: fileBytesMax,
    files: 1,
    fields: fields.length,
    fieldSize: fieldBytesMax,
    fieldNameSize: 100,
    headerPairs: 20,
  };
  try {
    for await (const part of request.parts({ limits, isPartAFile })) {
      if (part.type === 'file') form.file = await readFile(part);
      else takeField(part, form.fields);
    }
  } catch (error) {
    throw explain(error);
  }
  if (!form.file)
    throw new AppError('invalid_form', 'Missing file. Send the CSV in a form part named `file`.');
  return { fields: form.fields, file: form.file };
}

function takeField(part: Extract<Multipart, { type: 'field' }>, taken: Record<string, string>): void {
  const { fieldname, value, valueTruncated } = part;
  if (!fields.includes(fieldname)) {
    const allowed = ['file', ...fields].join(', ');
    throw new AppError('invalid_form', `Unknown field \`${fieldname}\`. Allowed: ${allowed}.`);
  }
  if (Object.hasOwn(taken, fieldname))
    throw new AppError('invalid_form', `Field \`${fieldname}\` occurs twice. Send it once.`);
  if (typeof value !== 'string' || valueTruncated) {
    throw new AppError(
      'invalid_form',
      `Invalid field \`${fieldname}\`. Allowed: plain text of at most ${fieldBytesMax} bytes.`,
    );
  }
  taken[fieldname] = value;
}

async function readFile(part: MultipartFile): Promise<UploadForm['file']> {
  if (part.fieldname !== 'file') {
    part.file.resume(); // otherwise the parser would wait for its end
    const message = `The file is in the part \`${part.fieldname}\`. Send it in a part named \`file\`.`;
    throw new AppError('invalid_form', message);
  }
  // `toBuffer` reads a file to its end before it reports that it is too large.
  const tooLarge = new Promise<never>((_, reject) => {
    part.file.once('limit', () =>
      reject(new AppError('payload_too_large', 'The file is larger than 10 MiB.')),
    );
  });
  const bytes = await Promise.race([part.toBuffer(), tooLarge]);
  return { name: part.filename ?? '', bytes };
}

/** Errors of the form parser are plain `Error`s without a code. */
function explain(error: unknown): unknown {
  if (error instanceof AppError) return error;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && code.startsWith('FST_')) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new AppError('malformed_form', `The form cannot be read: ${reason}`, { cause: error });
}
