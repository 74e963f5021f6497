import type { Problem, Remark } from '../../contract/schemas.ts';
import { AppError } from '../../kernel/errors.ts';
import { describeIssue } from './describe-issue.ts';
import { type ProblemCode, problemCatalog } from './problem-catalog.ts';

/** What the response says about the request, and where to find refused values. */
export interface ProblemContext {
  /** The requested path. */
  instance: string;
  requestId: string;
  /** Epoch milliseconds, to turn "wait until" into seconds. */
  now: number;
  /** Where the value of a refused parameter is found, to quote it. Never the body. */
  inputs?: { params?: unknown; querystring?: unknown; headers?: unknown };
}

export interface ProblemAnswer {
  problem: Problem;
  headers: Record<string, string>;
}

/**
 * Turns anything that was thrown into problem details (RFC 9457).
 *
 * An `AppError` with a code of the catalog keeps its message; Fastify's own errors are translated; everything else
 * is `internal_error`, which tells the client only the request id.
 *
 *     toProblem(new AppError('job_not_found', 'No job …'), context).problem.status   // 404
 */
export function toProblem(error: unknown, context: ProblemContext): ProblemAnswer {
  const known = error instanceof AppError ? error : translate(error, context);
  const code = codeOf(known);
  const { status, title } = problemCatalog[code];
  const hidden = status === 500;
  const extras = hidden ? {} : extrasOf(known, context.now);
  const problem: Problem = {
    type: `/problems/${code}`,
    title,
    status,
    code,
    detail: hidden ? `Internal error. Report the request id ${context.requestId}.` : known.message,
    instance: context.instance,
    request_id: context.requestId,
    ...extras,
  };
  return { problem, headers: headersOf(problem) };
}

/** A code that the catalog lacks is our mistake: 503 if the error is retryable, else 500. */
function codeOf(error: AppError): ProblemCode {
  if (Object.hasOwn(problemCatalog, error.code)) return error.code as ProblemCode;
  return error.retryable ? 'temporarily_unavailable' : 'internal_error';
}

const published = [
  'errors',
  'warnings',
  'symbols',
  'allow',
  'accept',
  'depth',
  'limit',
  'needed',
  'retry_after_seconds',
  'job_id',
  'checks',
] as const satisfies (keyof Problem)[];

/** Details are also meant for the log, so only the fields of the problem schema are sent. */
function extrasOf(error: AppError, now: number): Partial<Problem> {
  const extras = Object.fromEntries(
    published.filter((name) => error.details[name] !== undefined).map((name) => [name, error.details[name]]),
  );
  if (error.retryAt === undefined || extras.retry_after_seconds !== undefined) return extras;
  return { ...extras, retry_after_seconds: Math.max(1, Math.ceil((error.retryAt - now) / 1000)) };
}

const retryAfterDefault = 5; // without a hint a client would retry at once

function headersOf(problem: Problem): Record<string, string> {
  const waits = problem.status === 503 || problem.status === 429 || problem.retry_after_seconds !== undefined;
  return {
    ...(waits ? { 'retry-after': String(problem.retry_after_seconds ?? retryAfterDefault) } : {}),
    ...(problem.allow ? { allow: problem.allow.join(', ') } : {}),
    ...(problem.code === 'upgrade_required' ? { upgrade: 'websocket' } : {}),
  };
}

/** The part of Fastify's and its plugins' errors that we read. */
interface FrameworkError {
  code?: unknown;
  statusCode?: unknown;
  message?: unknown;
  validation?: { instancePath?: string; keyword?: string; message?: string; params?: { keys?: string[] } }[];
  validationContext?: keyof NonNullable<ProblemContext['inputs']> | 'body';
}

function translate(error: unknown, context: ProblemContext): AppError {
  const failure = (typeof error === 'object' && error !== null ? error : {}) as FrameworkError;
  if (failure.validation) return invalidRequest(failure, context);
  const translated = typeof failure.code === 'string' ? frameworkCodes[failure.code] : undefined;
  if (translated) return new AppError(translated[0], translated[1], { cause: error });
  const byStatus = typeof failure.statusCode === 'number' ? statusCodes[failure.statusCode] : undefined;
  if (byStatus) return new AppError(byStatus, `${problemCatalog[byStatus].title}.`, { cause: error });
  return new AppError('internal_error', String(failure.message ?? error), { cause: error });
}

function invalidRequest(failure: FrameworkError, { inputs }: ProblemContext): AppError {
  const where = failure.validationContext ?? 'body';
  const values = where === 'body' ? {} : ((inputs?.[where] ?? {}) as Record<string, unknown>);
  const issues = (failure.validation ?? []).map(({ instancePath = '', keyword, message, params }) => ({
    code: keyword ?? 'invalid',
    path: instancePath.split('/').filter((part) => part !== ''),
    message: message ?? 'Invalid value',
    keys: params?.keys,
  }));
  return requestRefused({ where, issues, values });
}

/** The part of a zod issue that we read. `keys` are the names that a strict object does not have. */
interface Issue {
  code: string;
  path: readonly PropertyKey[];
  message: string;
  keys?: readonly string[] | undefined;
}

const remarksMax = 1000; // a body of 10 MiB can be wrong in millions of places
const valueShownMax = 100;

const kinds: Record<string, string> = { body: 'field', form: 'field', headers: 'header' };

/**
 * The refusal of parameters, form fields or a JSON body that do not match their schema, one remark per place.
 *
 * `values` are quoted as evidence; leave them out if they are a user's data.
 */
export function requestRefused(refused: {
  where: string;
  issues: readonly Issue[];
  values?: Record<string, unknown>;
}): AppError {
  const { where, issues, values = {} } = refused;
  const errors = issues.slice(0, remarksMax).flatMap((issue): Remark[] => {
    const places = issue.keys?.map((key) => [...issue.path, key]) ?? [issue.path];
    return places.map((path) => remark(where, path.map(String), issue, values));
  });
  const [first] = errors;
  const places = errors.slice(0, 3).map(({ path }) => path);
  const more = issues.length > places.length ? ` and ${issues.length - places.length} more` : '';
  const detail =
    errors.length === 1 && first
      ? first.message
      : `Invalid: ${places.join(', ')}${more}. \`errors\` says what is allowed.`;
  return new AppError('invalid_request', detail, { details: { errors } });
}

function remark(where: string, path: string[], issue: Issue, values: Record<string, unknown>): Remark {
  const [name = where, index] = path;
  const value = values[name];
  const evidence = typeof value === 'string' ? value.slice(0, valueShownMax) : null;
  const entry = index === undefined ? undefined : evidence?.split(',')[Number(index)];
  const message = describeIssue({
    name: where === 'body' ? `/${path.join('/')}` : name,
    kind: kinds[where] ?? 'parameter',
    value: entry ?? evidence,
    message: issue.message,
    isUnknown: issue.keys !== undefined,
  });
  return {
    code: issue.code,
    message,
    value: evidence,
    path: where === 'body' ? `/${path.join('/')}` : path.join('.') || where,
  };
}

/** Fastify's codes and those of its multipart plugin, as our codes and messages. */
const frameworkCodes: Record<string, [ProblemCode, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['payload_too_large', 'The body is larger than 10 MiB.'],
  FST_REQ_FILE_TOO_LARGE: ['payload_too_large', 'The file is larger than 10 MiB.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'Unsupported content type.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'malformed_request',
    'The length of the body differs from Content-Length.',
  ],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['malformed_json', 'The body is empty. Send JSON.'],
  FST_ERR_BAD_URL: ['malformed_request', 'The path is not valid percent-encoded UTF-8.'],
  FST_ERR_MAX_PARAM_LENGTH: ['uri_too_long', 'A segment of the path is longer than any id or symbol.'],
  FST_ERR_HANDLER_TIMEOUT: ['temporarily_unavailable', 'The request timed out.'],
  FST_PARTS_LIMIT: ['invalid_form', 'The form has too many parts.'],
  FST_FILES_LIMIT: ['invalid_form', 'The form has several files. Send one.'],
  FST_FIELDS_LIMIT: ['invalid_form', 'The form has too many fields.'],
  FST_PROTO_VIOLATION: ['invalid_form', 'The form has a field name that is not allowed.'],
  FST_MP_PREMATURE_CLOSE: ['malformed_form', 'The form ends before its last part.'],
  FST_INVALID_JSON_FIELD_ERROR: ['invalid_form', 'A form field contains malformed JSON.'],
};

/** For errors with a status and an unknown code. */
const statusCodes: Record<number, ProblemCode> = {
  400: 'malformed_request',
  404: 'not_found',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  429: 'rate_limited',
  503: 'temporarily_unavailable',
};
