import type { z } from 'zod';
import type * as api from '../contract/schemas.ts';
import { type FeedOptions, type Frame, feedFrames } from './feed.client.ts';
import { type ClientOptions, httpClient, type RequestOptions, type Send } from './http.client.ts';
import { type PortfolioState, watchPortfolio } from './portfolio.watch.client.ts';

type Out<Schema extends z.ZodType> = z.output<Schema>;

/** Every filter of a query is optional; lists are arrays. */
type QueryOf<Schema extends z.ZodType> = { [Name in keyof Out<Schema>]?: Out<Schema>[Name] | undefined };

/** Options of every call. */
export interface CallOptions {
  signal?: AbortSignal;
}

/** Options of long polls: the response is held until the state is settled, for at most a minute. */
export interface WaitOptions extends CallOptions {
  wait?: number;
}

export type Upload = { name?: string; base_currency?: string; allow_duplicates?: boolean } & (
  | { csv: string | Uint8Array }
  | { positions: z.input<typeof api.positionInputSchema>[] }
);

export interface UploadOptions extends CallOptions {
  /** Within a day, uploads with the same key are saved once. With a key the upload is retried automatically. */
  idempotencyKey?: string;
}

const segment = encodeURIComponent;

/**
 * The whole API of the service, typed, for Node and browsers.
 *
 * Throws a `ProblemError` with a stable `code` for a problem response, and a `ConnectionError` without a response.
 *
 *     const client = createClient({ url: 'http://127.0.0.1:3000' });
 *     const { portfolio_id } = await client.portfolios.upload({ name: 'Mine', csv });
 *     for await (const { pending, snapshot } of client.watchPortfolio(portfolio_id)) console.log(pending, snapshot);
 */
export function createClient(options: ClientOptions) {
  const send = httpClient(options);
  return {
    portfolios: portfoliosOf(send),
    symbols: symbolsOf(send),
    onboarding: onboardingOf(send),
    service: serviceOf(send),
    /** The present state of a selection and every change of it. Reconnects and resumes automatically. */
    watch: (selector: Selector, feed: FeedOptions = {}): AsyncGenerator<Frame, void> =>
      feedFrames({ ...options, ...feed, send, selector }),
    /**
     * The present state of a portfolio, and its state after every change, until none of its symbols is being onboarded.
     * Reconnects and resumes automatically.
     */
    watchPortfolio: (
      id: string,
      feed: FeedOptions & { forever?: boolean } = {},
    ): AsyncGenerator<PortfolioState, void> => watchPortfolio({ ...options, ...feed, send, portfolioId: id }),
  };
}

export type Client = ReturnType<typeof createClient>;
export type Selector = api.Selector;

function portfoliosOf(send: Send) {
  const get = getter(send);
  const upload = (input: Upload, { dry_run, ...request }: RequestOptions & { dry_run?: true }) => {
    const { name, base_currency, allow_duplicates, ...rows } = input;
    const about = { name, base_currency, allow_duplicates, dry_run };
    const [type, query, body] =
      'csv' in rows
        ? (['text/csv', about, rows.csv] as const)
        : (['application/json', {}, JSON.stringify({ ...about, positions: rows.positions })] as const);
    return { query, body, ...request, headers: { 'content-type': type, ...request.headers } };
  };
  return {
    async upload(input: Upload, { idempotencyKey: key, ...options }: UploadOptions = {}) {
      const keyed = key === undefined ? {} : { headers: { 'idempotency-key': key }, repeatable: true };
      return (
        await send<Out<typeof api.uploadedSchema>>(
          'POST',
          '/portfolios',
          upload(input, { ...keyed, ...options }),
        )
      ).body;
    },
    /** The outcome of an upload, without saving anything. */
    async dryRun(input: Upload, options: CallOptions = {}) {
      const request = upload(input, { dry_run: true, repeatable: true, ...options });
      return (await send<api.DryRunView>('POST', '/portfolios', request)).body;
    },
    list: (query: QueryOf<typeof api.portfoliosQuerySchema> = {}, options?: CallOptions) =>
      get<Out<typeof api.portfoliosSchema>>('/portfolios', { query, ...options }),
    get: (id: string, options?: WaitOptions) =>
      get<Out<typeof api.portfolioSchema>>(`/portfolios/${segment(id)}`, options),
    positions: (id: string, query: QueryOf<typeof api.positionsQuerySchema> = {}, options?: CallOptions) =>
      get<Out<typeof api.positionsSchema>>(`/portfolios/${segment(id)}/positions`, { query, ...options }),
    snapshots: (id: string, query: QueryOf<typeof api.snapshotsQuerySchema> = {}, options?: CallOptions) =>
      get<Out<typeof api.snapshotsSchema>>(`/portfolios/${segment(id)}/snapshots`, { query, ...options }),
    exposures: (id: string, options?: CallOptions) =>
      get<Out<typeof api.portfolioExposuresSchema>>(`/portfolios/${segment(id)}/exposures`, options),
    async remove(id: string, options?: CallOptions): Promise<void> {
      await send('DELETE', `/portfolios/${segment(id)}`, options);
    },
    /** The template as CSV. */
    template: (options?: CallOptions) => get<string>('/portfolios/template.csv', { text: true, ...options }),
  };
}

function symbolsOf(send: Send) {
  const get = getter(send);
  const of = (symbol: string) => `/symbols/${segment(symbol)}`;
  return {
    status: (symbol: string, options?: WaitOptions) =>
      get<Out<typeof api.symbolStatusSchema>>(`${of(symbol)}/status`, options),
    async statuses(symbols: readonly string[], options?: CallOptions) {
      const query = { symbols };
      return (await get<Out<typeof api.symbolStatusesSchema>>('/symbols/status', { query, ...options }))
        .symbols;
    },
    search: (query: QueryOf<typeof api.symbolsQuerySchema> = {}, options?: CallOptions) =>
      get<Out<typeof api.symbolsSchema>>('/symbols', { query, ...options }),
    get: (symbol: string, options?: CallOptions) => get<Out<typeof api.symbolSchema>>(of(symbol), options),
    prices: (symbol: string, query: QueryOf<typeof api.pricesQuerySchema> = {}, options?: CallOptions) =>
      get<Out<typeof api.pricesSchema>>(`${of(symbol)}/prices`, { query, ...options }),
    exposures: (
      symbol: string,
      query: QueryOf<typeof api.exposuresQuerySchema> = {},
      options?: CallOptions,
    ) => get<Out<typeof api.exposuresSchema>>(`${of(symbol)}/exposures`, { query, ...options }),
    /** Onboards a symbol without a portfolio; joins an unfinished job. */
    async onboard(symbol: string, options?: CallOptions) {
      const request = { repeatable: true, ...options };
      return (await send<Out<typeof api.symbolStatusSchema>>('POST', `${of(symbol)}/onboarding`, request))
        .body;
    },
  };
}

function onboardingOf(send: Send) {
  const get = getter(send);
  const of = (id: string) => `/onboarding/jobs/${segment(id)}`;
  const post = async <Body>(path: string, options?: RequestOptions) =>
    (await send<Body>('POST', path, options)).body;
  return {
    overview: (options?: CallOptions) => get<api.OverviewView>('/onboarding', options),
    jobs: (query: QueryOf<typeof api.jobsQuerySchema> = {}, options?: CallOptions) =>
      get<Out<typeof api.jobsSchema>>('/onboarding/jobs', { query, ...options }),
    job: (id: string, options?: CallOptions) => get<Out<typeof api.jobDetailSchema>>(of(id), options),
    /** The rest is for operators. */
    timeline: (id: string, query: QueryOf<typeof api.timelineQuerySchema> = {}, options?: CallOptions) =>
      get<Out<typeof api.timelineSchema>>(`${of(id)}/timeline`, { query, ...options }),
    actors: (query: QueryOf<typeof api.actorsQuerySchema> = {}, options?: CallOptions) =>
      get<Out<typeof api.actorsSchema>>('/onboarding/actors', { query, ...options }),
    /** `supervisor`, or a job; with `at` its state after that transition. */
    actor: (id: string, query: QueryOf<typeof api.actorQuerySchema> = {}, options?: CallOptions) =>
      get<Out<typeof api.actorSchema>>(`/onboarding/actors/${segment(id)}`, { query, ...options }),
    retry: (id: string, options?: CallOptions) =>
      post<Out<typeof api.jobDetailSchema>>(`${of(id)}/retry`, options),
    cancel: (id: string, options?: CallOptions) =>
      post<Out<typeof api.cancellationSchema>>(`${of(id)}/cancel`, { repeatable: true, ...options }),
    pause: (options?: CallOptions) =>
      post<api.OverviewView>('/onboarding/pause', { repeatable: true, ...options }),
    resume: (options?: CallOptions) =>
      post<api.OverviewView>('/onboarding/resume', { repeatable: true, ...options }),
    diagnosis: (options?: CallOptions) => get<api.DiagnosisView>('/onboarding/diagnosis', options),
  };
}

function serviceOf(send: Send) {
  const get = getter(send);
  return {
    index: (options?: CallOptions) => get<Out<typeof api.indexSchema>>('/', options),
    live: (options?: CallOptions) => get<Out<typeof api.liveSchema>>('/health/live', options),
    /** Throws a `ProblemError` `not_ready` with its `checks` while the service is not ready. */
    ready: (options?: CallOptions) => get<Out<typeof api.readySchema>>('/health/ready', options),
    /** For Prometheus, as text. */
    metrics: (options?: CallOptions) => get<string>('/metrics', { text: true, ...options }),
    openapi: (options?: CallOptions) => get<Out<typeof api.apiDocumentSchema>>('/openapi.json', options),
    asyncapi: (options?: CallOptions) => get<Out<typeof api.feedDocumentSchema>>('/asyncapi.json', options),
    problems: (options?: CallOptions) => get<Out<typeof api.problemEntriesSchema>>('/problems', options),
    problem: (code: string, options?: CallOptions) =>
      get<Out<typeof api.problemEntrySchema>>(`/problems/${segment(code)}`, options),
    /** For one WebSocket of a client that cannot send headers. */
    async ticket(options?: CallOptions) {
      return (await send<api.TicketView>('POST', '/tickets', options)).body;
    },
  };
}

const getter =
  (send: Send) =>
  async <Body>(path: string, options?: RequestOptions) =>
    (await send<Body>('GET', path, options)).body;
