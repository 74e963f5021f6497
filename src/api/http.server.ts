import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import Fastify, { type FastifyBaseLogger, type FastifyRequest, type FastifyServerOptions } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import manifest from '../../package.json' with { type: 'json' };
import { indexSchema, uploadBytesMax } from '../contract/schemas.ts';
import { localViewer, type Service, type Viewer } from '../contract/service.ts';
import type { Clock } from '../kernel/clock.ts';
import { allowOrigins } from './access/cors.plugin.ts';
import { noRateLimits, type RateLimits, rateGuard } from './access/rate.guards.ts';
import { guardRequests } from './access/request.guards.ts';
import { securityHeaders } from './access/security-headers.ts';
import { ticketRoutes } from './access/ticket.routes.ts';
import type { Token } from './access/tokens.ts';
import { connectionGate } from './feed/connections-per-client.ts';
import { eventsRoute } from './feed/events.routes.ts';
import { feedHub } from './feed/feed-hub.ts';
import { type LiveLimits, liveLimits } from './feed/frames.ts';
import { acceptSockets, liveSocket } from './feed/live.socket.ts';
import { type ConnectionLimits, connectionLimits, connectionOptions } from './http/connection-limits.ts';
import { endEmptyBodies } from './http/empty-bodies.plugin.ts';
import { revalidate } from './http/etag.plugin.ts';
import type { Api } from './http/fastify.types.ts';
import { closeIdleConnections } from './http/idle-connections.plugin.ts';
import { indexLinks } from './http/links.ts';
import { createWaiters } from './http/long-polling.ts';
import { parseJson } from './http/parse-json.ts';
import { inspectorRoutes } from './inspector/inspector.routes.ts';
import { type InspectorLimits, inspectorSocket } from './inspector/inspector.socket.ts';
import { docsPage } from './openapi/docs.plugin.ts';
import { asyncapiRoute, describeRoutes, openapiRoute } from './openapi/openapi.plugin.ts';
import { publicResponses } from './problems/declared-responses.ts';
import { answerClientError, problemHandler } from './problems/problem.handler.ts';
import { problemRoutes } from './problems/problem.routes.ts';
import { actorRoutes } from './routes/actor.routes.ts';
import { diagnosisRoutes } from './routes/diagnosis.routes.ts';
import { healthRoutes } from './routes/health.routes.ts';
import { measureRequests, metricsRoute } from './routes/metrics.routes.ts';
import { onboardingRoutes } from './routes/onboarding.routes.ts';
import { operatorRoutes } from './routes/operator.routes.ts';
import { portfolioRoutes } from './routes/portfolio.routes.ts';
import { symbolRoutes } from './routes/symbol.routes.ts';
import { uploadRoutes } from './routes/upload.routes.ts';

export interface ServerOptions {
  clock: Clock;
  /** Source of the figures: shown on `GET /`, in `hello` and in the header `x-market-data`. */
  marketData: { providers: string[]; simulated: boolean };
  /** A pino logger with `logOptions`; without one nothing is logged. */
  logger?: FastifyBaseLogger;
  live?: Partial<LiveLimits>;
  /** Maximum number of long polls (requests with `Prefer: wait`) held at once. */
  waitersMax?: number;
  /** Accepted tokens; without any, everyone who can reach the address may do everything. */
  tokens?: readonly Token[];
  /** Other origins whose pages may call the API, like `https://app.example`. */
  corsOrigins?: readonly string[];
  /** Addresses and networks of proxies whose `X-Forwarded-*` headers are trusted. */
  trustProxy?: readonly string[];
  rates?: Partial<RateLimits>;
  connections?: Partial<ConnectionLimits>;
  inspector?: InspectorLimits;
}

/**
 * The HTTP server of the service, ready for `listen`; `close` also ends its WebSockets.
 *
 *     const server = buildServer(service, { clock, marketData: { providers: ['yahoo'], simulated: false } });
 *     await server.listen({ host: '127.0.0.1', port: 3000 });
 */
export function buildServer(service: Service, options: ServerOptions): Api {
  const app = Fastify(fastifyOptions(options)).withTypeProvider<ZodTypeProvider>() as unknown as Api;
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(problemHandler(options.clock));
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_: unknown, bytes: Buffer) =>
    parseJson(bytes),
  );
  const { tokens = [], corsOrigins = [] } = options;
  // A public route has no viewer: if its handler reads it, it fails instead of serving a stranger.
  if (tokens.length > 0) app.decorateRequest('viewer', null as unknown as Viewer);
  else app.decorateRequest('viewer', { getter: () => localViewer });
  const source = options.marketData.simulated ? 'simulated' : options.marketData.providers.join(', ');
  app.decorateRequest('route', null as unknown as FastifyRequest['route']);
  app.addHook('onRequest', (request, reply, done) => {
    request.route = request.routeOptions.config;
    reply.headers(securityHeaders(request.route.csp));
    reply.header('x-request-id', request.id).header('x-market-data', source);
    done();
  });
  const limits = { ...liveLimits, ...options.live };
  const waiters = createWaiters({
    onEnd: service.feed.onEnd,
    clock: options.clock,
    ...(options.waitersMax !== undefined && { max: options.waitersMax }),
  });
  app.addHook('preClose', async () => waiters.end());
  const connections = { ...connectionLimits, ...options.connections };
  app.server.maxConnections = connections.connections;
  closeIdleConnections(app, connections);
  acceptSockets(app, limits);
  endEmptyBodies(app);
  allowOrigins(app, corsOrigins);
  describeRoutes(app, { protected: tokens.length > 0 });
  // After the WebSocket plugin is loaded: it must see a request first, to close the socket of a refused upgrade.
  app.after(() => {
    const rates = rateGuard({ ...noRateLimits, ...options.rates }, options.clock);
    guardRequests(app, { tokens, tickets: service.tickets, rates, corsOrigins });
    revalidate(app);
    measureRequests(app, service.measurements);
    indexRoute(app, options);
    openapiRoute(app);
    asyncapiRoute(app, { protected: tokens.length > 0 });
    problemRoutes(app);
    docsPage(app);
    liveFeed(app, service.feed, { ...options, limits });
    healthRoutes(app, service.health);
    metricsRoute(app, service.measurements, waiters);
    onboardingRoutes(app, service.onboarding);
    operatorRoutes(app, service.operations);
    actorRoutes(app, service.actors);
    inspectorSocket(app, service.inspection, options.inspector);
    inspectorRoutes(app, service.inspection);
    diagnosisRoutes(app, service.diagnosis);
    symbolRoutes(app, service.symbols, waiters);
    portfolioRoutes(app, service.portfolios, waiters);
    app.register(async (scope) => uploadRoutes(scope as unknown as Api, service.portfolios));
    ticketRoutes(app, service.tickets);
  });
  return app;
}

/** `/ws` and `/events`: two transports of one feed. */
function liveFeed(
  app: Api,
  feed: Service['feed'],
  { clock, marketData, limits }: ServerOptions & { limits: LiveLimits },
): void {
  const log = (error: unknown) => app.log.warn({ err: error }, 'reading the feed failed');
  const hub = feedHub({ feed, clock, limits, marketData, log });
  const gate = connectionGate(limits);
  const timer = setInterval(() => hub.tick(), Math.min(limits.pingIntervalMs, tickMs));
  timer.unref();
  app.addHook('onClose', async () => clearInterval(timer));
  liveSocket(app, { hub, gate, limits });
  eventsRoute(app, { feed, hub, gate, limits });
}

const tickMs = 1000; // precision of the timeouts of slow and idle clients

function fastifyOptions({
  clock,
  logger,
  trustProxy = [],
  connections,
}: ServerOptions): FastifyServerOptions {
  return {
    ...(logger ? { loggerInstance: logger } : {}),
    bodyLimit: uploadBytesMax,
    ...connectionOptions({ ...connectionLimits, ...connections }),
    trustProxy: trustProxy.length > 0 && [...trustProxy],
    genReqId: requestIds(),
    routerOptions: { maxParamLength: 200 },
    // request.guards.ts responds with problem details instead.
    return503OnClosing: false,
    // Hooks do not run for a request with an unreadable path.
    frameworkErrors: (error, request, reply) =>
      problemHandler(clock)(error, request, reply.headers(securityHeaders())),
    clientErrorHandler: answerClientError,
  };
}

/**
 * Keeps a client's `x-request-id` if it is safe in a log, so that its log and ours can be joined. Otherwise makes one
 * from a random prefix of this server and a counter: a UUID per request takes three times as long.
 */
function requestIds(): (request: IncomingMessage) => string {
  const own = randomUUID().slice(0, 24);
  let count = 0;
  return ({ headers: { 'x-request-id': offered } }) => {
    if (typeof offered === 'string' && /^[\w.-]{1,64}$/.test(offered)) return offered;
    count += 1;
    return own + String(count).padStart(12, '0');
  };
}

function indexRoute(app: Api, { marketData }: ServerOptions): void {
  const schema = {
    operationId: 'getIndex',
    tags: ['health'],
    summary: 'Where to start',
    description: 'Links to the other paths, and the source of the market data.',
    response: publicResponses({ 200: indexSchema }),
  };
  const notice = marketData.simulated
    ? 'The market is simulated: prices, exposures and totals are invented.'
    : null;
  app.get('/', { schema, config: { public: true } }, async () => ({
    service: 'symbol-onboarding' as const,
    version: manifest.version,
    market_data: marketData,
    notice,
    links: indexLinks,
  }));
}
