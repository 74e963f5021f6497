/** One entry of the catalog. `title` is the same for every occurrence; `fix` says what the client can do. */
interface CatalogEntry {
  status: number;
  title: string;
  fix: string;
}

const later = 'Try again after Retry-After.';

/** Every code of a problem response. Codes are stable, and a code never changes its status. */
export const problemCatalog = {
  malformed_request: { status: 400, title: 'Malformed request', fix: 'Send a valid HTTP/1.1 request.' },
  malformed_json: { status: 400, title: 'Malformed JSON', fix: 'Send valid JSON in UTF-8.' },
  malformed_form: {
    status: 400,
    title: 'Malformed form',
    fix: 'Send complete multipart/form-data with a boundary.',
  },
  foreign_host: {
    status: 421,
    title: 'Host is not this machine',
    fix: 'Use 127.0.0.1, localhost or [::1] as host. A proxy in front of the service must set one of them as Host.',
  },
  cross_origin: {
    status: 403,
    title: 'Request from another origin',
    fix: "Call from a page of the service's own origin, from an origin in CORS_ORIGINS, or from a program.",
  },
  unauthenticated: {
    status: 401,
    title: 'Not authenticated',
    fix: 'Send the header Authorization: Bearer <token>. Ask the operator of the service for a token.',
  },
  operators_only: {
    status: 403,
    title: 'For operators only',
    fix: 'Ask an operator, or use a token with the role operator.',
  },
  not_found: { status: 404, title: 'No such resource', fix: 'GET / lists where to start.' },
  portfolio_not_found: {
    status: 404,
    title: 'No such portfolio',
    fix: 'Use the portfolio_id from the response to the upload. Portfolios of other owners are not visible.',
  },
  symbol_unknown: {
    status: 404,
    title: 'Symbol not in the universe',
    fix: 'Upload a portfolio with this symbol, or send POST /symbols/{symbol}/onboarding.',
  },
  inspector_disabled: {
    status: 404,
    title: 'The inspector is off',
    fix: 'Set INSPECTOR=on. With INSPECTOR=auto it is on only if HOST is a loopback address.',
  },
  transition_not_found: {
    status: 404,
    title: 'No such transition',
    fix: 'GET /onboarding/jobs/{id}/timeline lists the stored transitions of a job.',
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
  request_timeout: { status: 408, title: 'Request timed out', fix: 'Send the request faster.' },
  not_retryable: {
    status: 409,
    title: 'Job cannot be retried',
    fix: 'Only failed and partial jobs can be retried. To refresh a symbol, send POST /symbols/{symbol}/onboarding.',
  },
  symbol_busy: {
    status: 409,
    title: 'Symbol has another unfinished job',
    fix: 'Watch the job in `job_id`: it does the work of this retry.',
  },
  too_late_to_cancel: {
    status: 409,
    title: 'Too late to cancel',
    fix: 'The symbol is already in the universe and its portfolios are being valued. Wait until the job completes.',
  },
  not_cancellable: {
    status: 409,
    title: 'Job has finished',
    fix: 'Only pending and processing jobs can be cancelled.',
  },
  idempotency_in_flight: {
    status: 409,
    title: 'Upload with this key is in progress',
    fix: 'Send the same request again after Retry-After. The response is that of the first one.',
  },
  payload_too_large: {
    status: 413,
    title: 'Payload too large',
    fix: 'Split the portfolio. The maximum is 10 MiB and 50,000 rows.',
  },
  uri_too_long: { status: 414, title: 'Path too long', fix: 'A symbol has at most 64 characters.' },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported content type',
    fix: 'Send one of the types in `accept`.',
  },
  unsupported_charset: {
    status: 415,
    title: 'Unsupported charset',
    fix: 'Send UTF-8. The Content-Type names that charset or none.',
  },
  unsupported_encoding: {
    status: 415,
    title: 'Unsupported content encoding',
    fix: 'Send the body uncompressed.',
  },
  invalid_request: {
    status: 422,
    title: 'Invalid parameters or body',
    fix: '`errors` lists each invalid value and what is allowed.',
  },
  invalid_form: {
    status: 422,
    title: 'Invalid form',
    fix: 'Send one part `file`. The fields name, base_currency, allow_duplicates and dry_run are optional.',
  },
  invalid_rows: {
    status: 422,
    title: 'Invalid rows',
    fix: '`errors` lists every invalid cell and how to fix it. Nothing was saved.',
  },
  invalid_symbols: {
    status: 422,
    title: 'Symbols that do not exist',
    fix: '`symbols` lists them. Correct or remove their rows. Nothing was saved.',
  },
  too_many_symbols: {
    status: 422,
    title: 'More new symbols than the queue can hold',
    fix: 'Split the portfolio so that each part has at most `limit` new symbols. Nothing was saved.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'Idempotency-Key used for another upload',
    fix: 'Use a new key for a new upload. Send the same key only with the same file and options.',
  },
  upgrade_required: { status: 426, title: 'WebSocket only', fix: 'Open this address as a WebSocket.' },
  rate_limited: { status: 429, title: 'Too many requests', fix: later },
  too_many_connections: {
    status: 429,
    title: 'Too many open connections',
    fix: 'Close a WebSocket or an event stream that you no longer read.',
  },
  headers_too_large: { status: 431, title: 'Headers too large', fix: 'Send at most 16 KiB of headers.' },
  internal_error: {
    status: 500,
    title: 'Internal error',
    fix: 'Report the request id. The log of the service has the details.',
  },
  queue_full: { status: 503, title: 'Onboarding queue is full', fix: `${later} Nothing was saved.` },
  symbols_unverifiable: {
    status: 503,
    title: 'Symbols cannot be verified now',
    fix: 'Upload again after Retry-After; nothing was saved. To accept uploads while the provider is down, set UNVERIFIABLE=defer.',
  },
  provider_timeout: { status: 503, title: 'Market-data provider timed out', fix: later },
  provider_unavailable: { status: 503, title: 'Market-data provider unavailable', fix: later },
  provider_throttled: { status: 503, title: 'Market-data provider throttles requests', fix: later },
  not_ready: { status: 503, title: 'Not ready', fix: '`checks` says what is wrong.' },
  shutting_down: {
    status: 503,
    title: 'Shutting down',
    fix: 'Try again after Retry-After, or use another node.',
  },
  temporarily_unavailable: { status: 503, title: 'Temporarily unavailable', fix: later },
} as const satisfies Record<string, CatalogEntry>;

export type ProblemCode = keyof typeof problemCatalog;
