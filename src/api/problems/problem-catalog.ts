/** One entry of the catalogue: `title` never changes with the occasion, `cure` says what the client can do. */
interface CatalogueEntry {
  status: number;
  title: string;
  cure: string;
}

/** Every code that an answer of this API may carry. Codes are stable; a code has one status for ever. */
export const problemCatalogue = {
  malformed_request: {
    status: 400,
    title: 'Malformed request',
    cure: 'Send well-formed HTTP.',
  },
  malformed_json: {
    status: 400,
    title: 'Malformed JSON',
    cure: 'Send a body that a JSON parser accepts, in UTF-8.',
  },
  malformed_form: {
    status: 400,
    title: 'Malformed form',
    cure: 'Send multipart/form-data with a boundary, complete to its end.',
  },
  foreign_host: {
    status: 421,
    title: 'Called by a name that is not this machine',
    cure: 'Call it as 127.0.0.1, localhost or [::1]; a proxy in front of it must set that Host.',
  },
  cross_origin: {
    status: 403,
    title: 'Request from another origin',
    cure: "Call from a page of the service's own origin, or from a program.",
  },
  unauthenticated: {
    status: 401,
    title: 'Not authenticated',
    cure: 'Send the header Authorization: Bearer <token>; whoever runs the service hands out tokens.',
  },
  operators_only: {
    status: 403,
    title: 'For operators only',
    cure: 'Ask an operator, or use a token of the role operator.',
  },
  not_found: { status: 404, title: 'No such resource', cure: 'GET / lists where to start.' },
  portfolio_not_found: {
    status: 404,
    title: 'No such portfolio',
    cure: 'Use the portfolio_id that the upload answered. It may belong to somebody else.',
  },
  symbol_unknown: {
    status: 404,
    title: 'Symbol not in the universe',
    cure: 'Upload a portfolio that holds it; its status is at /symbols/{symbol}/status.',
  },
  inspector_disabled: {
    status: 404,
    title: 'The inspector is off',
    cure: 'Set INSPECTOR=on; on by itself it is only where the service listens on loopback.',
  },
  transition_not_found: {
    status: 404,
    title: 'No such transition',
    cure: 'GET /onboarding/jobs/{id}/timeline lists the transitions of a job that are kept.',
  },
  job_not_found: { status: 404, title: 'No such job', cure: 'GET /onboarding/jobs lists the jobs.' },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    cure: 'Use one of the methods in the Allow header.',
  },
  not_acceptable: {
    status: 406,
    title: 'No acceptable representation',
    cure: 'Accept application/json, or send no Accept header.',
  },
  request_timeout: { status: 408, title: 'Request took too long', cure: 'Send the request faster.' },
  not_retryable: {
    status: 409,
    title: 'Job cannot be retried',
    cure: 'Only a failed job, or one that completed in part, can be retried. Onboard the symbol anew instead.',
  },
  symbol_busy: {
    status: 409,
    title: 'Symbol has another unfinished job',
    cure: 'Watch the job that `job_id` names; it does what this retry would do.',
  },
  too_late_to_cancel: {
    status: 409,
    title: 'Too late to cancel',
    cure: 'The symbol is in the universe already and portfolios are being valued with it. Let it end.',
  },
  not_cancellable: {
    status: 409,
    title: 'Job is over',
    cure: 'Only a pending or processing job can be cancelled.',
  },
  idempotency_in_flight: {
    status: 409,
    title: 'Upload with this key is under way',
    cure: 'Send the same request again after Retry-After: it is answered as the first one was.',
  },
  payload_too_large: {
    status: 413,
    title: 'Payload too large',
    cure: 'Split the portfolio; 10 MiB and 50,000 rows are the most.',
  },
  uri_too_long: { status: 414, title: 'Path too long', cure: 'Symbols have at most 64 characters.' },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported content type',
    cure: 'Send one of the types in `accept`.',
  },
  unsupported_charset: {
    status: 415,
    title: 'Unsupported charset',
    cure: 'Send UTF-8, and say so or say nothing.',
  },
  unsupported_encoding: {
    status: 415,
    title: 'Unsupported content encoding',
    cure: 'Send the body uncompressed.',
  },
  invalid_request: {
    status: 422,
    title: 'Invalid parameters or body',
    cure: '`errors` names each place and what was expected.',
  },
  invalid_form: {
    status: 422,
    title: 'Invalid form',
    cure: 'Send one part `file`, and the fields name, base_currency, allow_duplicates, dry_run if you like.',
  },
  invalid_rows: {
    status: 422,
    title: 'Rows that cannot be read',
    cure: '`errors` names every cell and how to mend it. Nothing was saved.',
  },
  invalid_symbols: {
    status: 422,
    title: 'Symbols that do not exist',
    cure: '`symbols` names them all. Correct or remove their rows. Nothing was saved.',
  },
  too_many_symbols: {
    status: 422,
    title: 'More new symbols than the queue can ever hold',
    cure: 'Split the portfolio so that each part needs at most `limit` new symbols. Nothing was saved.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'Idempotency-Key used for another upload',
    cure: 'Send a new key with a new upload; the same key only with the same file and options.',
  },
  upgrade_required: { status: 426, title: 'WebSocket only', cure: 'Open this address as a WebSocket.' },
  rate_limited: { status: 429, title: 'Too many requests', cure: 'Wait as long as Retry-After says.' },
  too_many_connections: {
    status: 429,
    title: 'Too many open connections',
    cure: 'Close a socket or an event stream that you no longer read.',
  },
  headers_too_large: { status: 431, title: 'Headers too large', cure: 'Send at most 16 KiB of headers.' },
  internal_error: {
    status: 500,
    title: 'Internal error',
    cure: 'Report the request id; the log of the service tells more.',
  },
  queue_full: {
    status: 503,
    title: 'Onboarding queue is full',
    cure: 'Try again after Retry-After. Nothing was saved.',
  },
  symbols_unverifiable: {
    status: 503,
    title: 'Symbols cannot be verified now',
    cure: 'The market-data provider does not answer. Upload again after Retry-After. Nothing was saved. With UNVERIFIABLE=defer their jobs would verify them.',
  },
  provider_timeout: { status: 503, title: 'Market data timed out', cure: 'Try again after Retry-After.' },
  provider_unavailable: {
    status: 503,
    title: 'Market data unavailable',
    cure: 'Try again after Retry-After.',
  },
  provider_throttled: {
    status: 503,
    title: 'Market data asks to wait',
    cure: 'Try again after Retry-After.',
  },
  not_ready: { status: 503, title: 'Not ready', cure: '`checks` says what is missing.' },
  shutting_down: {
    status: 503,
    title: 'Shutting down',
    cure: 'Try again after Retry-After, or another node.',
  },
  temporarily_unavailable: {
    status: 503,
    title: 'Temporarily unavailable',
    cure: 'Try again after Retry-After.',
  },
} as const satisfies Record<string, CatalogueEntry>;

export type ProblemCode = keyof typeof problemCatalogue;
