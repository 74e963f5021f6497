/** One entry of the catalogue: `title` never changes with the occasion, `fix` says what the client can do. */
interface CatalogEntry {
  status: number;
  title: string;
  fix: string;
}

/** Every code that an answer of this API may carry. Codes are stable; a code has one status for ever. */
export const problemCatalog = {
  malformed_request: {
    status: 400,
    title: 'Malformed request',
    fix: 'Send well-formed HTTP.',
  },
  malformed_json: {
    status: 400,
    title: 'Malformed JSON',
    fix: 'Send a body that a JSON parser accepts, in UTF-8.',
  },
  malformed_form: {
    status: 400,
    title: 'Malformed form',
    fix: 'Send multipart/form-data with a boundary, complete to its end.',
  },
  foreign_host: {
    status: 421,
    title: 'Called by a name that is not this machine',
    fix: 'Call it as 127.0.0.1, localhost or [::1]; a proxy in front of it must set that Host.',
  },
  cross_origin: {
    status: 403,
    title: 'Request from another origin',
    fix: "Call from a page of the service's own origin, or from a program.",
  },
  unauthenticated: {
    status: 401,
    title: 'Not authenticated',
    fix: 'Send the header Authorization: Bearer <token>; whoever runs the service hands out tokens.',
  },
  operators_only: {
    status: 403,
    title: 'For operators only',
    fix: 'Ask an operator, or use a token of the role operator.',
  },
  not_found: { status: 404, title: 'No such resource', fix: 'GET / lists where to start.' },
  portfolio_not_found: {
    status: 404,
    title: 'No such portfolio',
    fix: 'Use the portfolio_id that the upload answered. It may belong to somebody else.',
  },
  symbol_unknown: {
    status: 404,
    title: 'Symbol not in the universe',
    fix: 'Upload a portfolio that holds it; its status is at /symbols/{symbol}/status.',
  },
  inspector_disabled: {
    status: 404,
    title: 'The inspector is off',
    fix: 'Set INSPECTOR=on; on by itself it is only where the service listens on loopback.',
  },
  transition_not_found: {
    status: 404,
    title: 'No such transition',
    fix: 'GET /onboarding/jobs/{id}/timeline lists the transitions of a job that are kept.',
  },
  job_not_found: { status: 404, title: 'No such job', fix: 'GET /onboarding/jobs lists the jobs.' },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    fix: 'Use one of the methods in the Allow header.',
  },
  not_acceptable: {
    status: 406,
    title: 'No acceptable representation',
    fix: 'Accept application/json, or send no Accept header.',
  },
  request_timeout: { status: 408, title: 'Request took too long', fix: 'Send the request faster.' },
  not_retryable: {
    status: 409,
    title: 'Job cannot be retried',
    fix: 'Only a failed job, or one that completed in part, can be retried. Onboard the symbol anew instead.',
  },
  symbol_busy: {
    status: 409,
    title: 'Symbol has another unfinished job',
    fix: 'Watch the job that `job_id` names; it does what this retry would do.',
  },
  too_late_to_cancel: {
    status: 409,
    title: 'Too late to cancel',
    fix: 'The symbol is in the universe already and portfolios are being valued with it. Let it end.',
  },
  not_cancellable: {
    status: 409,
    title: 'Job is over',
    fix: 'Only a pending or processing job can be cancelled.',
  },
  idempotency_in_flight: {
    status: 409,
    title: 'Upload with this key is under way',
    fix: 'Send the same request again after Retry-After: it is answered as the first one was.',
  },
  payload_too_large: {
    status: 413,
    title: 'Payload too large',
    fix: 'Split the portfolio; 10 MiB and 50,000 rows are the most.',
  },
  uri_too_long: { status: 414, title: 'Path too long', fix: 'Symbols have at most 64 characters.' },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported content type',
    fix: 'Send one of the types in `accept`.',
  },
  unsupported_charset: {
    status: 415,
    title: 'Unsupported charset',
    fix: 'Send UTF-8, and say so or say nothing.',
  },
  unsupported_encoding: {
    status: 415,
    title: 'Unsupported content encoding',
    fix: 'Send the body uncompressed.',
  },
  invalid_request: {
    status: 422,
    title: 'Invalid parameters or body',
    fix: '`errors` names each place and what was expected.',
  },
  invalid_form: {
    status: 422,
    title: 'Invalid form',
    fix: 'Send one part `file`, and the fields name, base_currency, allow_duplicates, dry_run if you like.',
  },
  invalid_rows: {
    status: 422,
    title: 'Rows that cannot be read',
    fix: '`errors` names every cell and how to mend it. Nothing was saved.',
  },
  invalid_symbols: {
    status: 422,
    title: 'Symbols that do not exist',
    fix: '`symbols` names them all. Correct or remove their rows. Nothing was saved.',
  },
  too_many_symbols: {
    status: 422,
    title: 'More new symbols than the queue can ever hold',
    fix: 'Split the portfolio so that each part needs at most `limit` new symbols. Nothing was saved.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'Idempotency-Key used for another upload',
    fix: 'Send a new key with a new upload; the same key only with the same file and options.',
  },
  upgrade_required: { status: 426, title: 'WebSocket only', fix: 'Open this address as a WebSocket.' },
  rate_limited: { status: 429, title: 'Too many requests', fix: 'Wait as long as Retry-After says.' },
  too_many_connections: {
    status: 429,
    title: 'Too many open connections',
    fix: 'Close a socket or an event stream that you no longer read.',
  },
  headers_too_large: { status: 431, title: 'Headers too large', fix: 'Send at most 16 KiB of headers.' },
  internal_error: {
    status: 500,
    title: 'Internal error',
    fix: 'Report the request id; the log of the service tells more.',
  },
  queue_full: {
    status: 503,
    title: 'Onboarding queue is full',
    fix: 'Try again after Retry-After. Nothing was saved.',
  },
  symbols_unverifiable: {
    status: 503,
    title: 'Symbols cannot be verified now',
    fix: 'The market-data provider does not answer. Upload again after Retry-After. Nothing was saved. With UNVERIFIABLE=defer their jobs would verify them.',
  },
  provider_timeout: { status: 503, title: 'Market data timed out', fix: 'Try again after Retry-After.' },
  provider_unavailable: {
    status: 503,
    title: 'Market data unavailable',
    fix: 'Try again after Retry-After.',
  },
  provider_throttled: {
    status: 503,
    title: 'Market data asks to wait',
    fix: 'Try again after Retry-After.',
  },
  not_ready: { status: 503, title: 'Not ready', fix: '`checks` says what is missing.' },
  shutting_down: {
    status: 503,
    title: 'Shutting down',
    fix: 'Try again after Retry-After, or another node.',
  },
  temporarily_unavailable: {
    status: 503,
    title: 'Temporarily unavailable',
    fix: 'Try again after Retry-After.',
  },
} as const satisfies Record<string, CatalogEntry>;

export type ProblemCode = keyof typeof problemCatalog;
