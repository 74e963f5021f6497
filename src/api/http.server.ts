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
import { createWaiters } from './http/long-polling.ts';
import { parseJson } from './http/parse-json.ts';
import { inspectorRoutes } from './inspector/inspector.routes.ts';
import { type InspectorLimits, inspectorSocket } from './inspector/inspector.socket.ts';
import { publicResponses } from './openapi/declared-responses.ts';
import { docsPage } from './openapi/docs.plugin.ts';
import { asyncapiRoute, describeRoutes, openapiRoute } from './openapi/openapi.plugin.ts';
import { answerClientError, problemHandler } from './problems/problem.handler.ts';
import { problemRoutes } from './problems/problem.routes.ts';
import { actorRoutes } from './routes/actor.routes.ts';
import { diagnosisRoutes } from './routes/diagnosis.routes.ts';
import { healthRoutes } from './routes/health.routes.ts';
import { indexLinks } from './routes/links.ts';
import { measureRequests, metricsRoute } from './routes/metrics.routes.ts';
import { onboardingRoutes } from './routes/onboarding.routes.ts';
import { operatorRoutes } from './routes/operator.routes.ts';
import { portfolioRoutes } from './routes/portfolio.routes.ts';
import { symbolRoutes } from './routes/symbol.routes.ts';
import { uploadRoutes } from './routes/upload.routes.ts';

export interface ServerOptions {
  clock: Clock;
  /** Which market the figures come from: told on `GET /`, in `hello` and in the header `x-market-data`. */
  marketData: { providers: string[]; simulated: boolean };
  /** A pino logger made from `logOptions`; without one nothing is logged. */
  logger?: FastifyBaseLogger;
  live?: Partial<LiveLimits>;
  /** How many answers are held back at once at most, because their requests prefer to wait. */
  waitersMax?: number;
  /** Who may call; without any, whoever can reach the address may do everything. */
  tokens?: readonly Token[];
  /** Pages that may call besides the service's own, like `https://app.example`. */
  corsOrigins?: readonly string[];
  /** Addresses and networks of proxies whose word we take for who the client is. */
  trustProxy?: readonly string[];
  rates?: Partial<RateLimits>;
  connections?: Partial<ConnectionLimits>;
  inspector?: InspectorLimits;
}

/**
 * The HTTP server of the service, ready for `listen`; `close` ends its sockets too.
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
  // A public route has no viewer: one that asks who it is fails, rather than serving a stranger.
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
  // Once that is loaded: it must see a request first, to close the socket of an upgrade that a guard refuses.
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

/** `/ws` and `/events`: two ways to one hub. */
function liveFeed(
  app: Api,
  feed: Service['feed'],
  { clock, marketData, limits }: ServerOptions & { limits: LiveLimits },
): void {
  const log = (error: unknown) => app.log.warn({ err: error }, 'the feed could not be read');
  const hub = feedHub({ feed, clock, limits, marketData, log });
  const gate = connectionGate(limits);
  const timer = setInterval(() => hub.tick(), Math.min(limits.pingIntervalMs, tickMs));
  timer.unref();
  app.addHook('onClose', async () => clearInterval(timer));
  liveSocket(app, { hub, gate, limits });
  eventsRoute(app, { feed, hub, gate, limits });
}

const tickMs = 1000; // how exact the times of slow and idle clients are

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
    // Ours says the same as problem details: see request.guards.
    return503OnClosing: false,
    // No hook sees a request whose path cannot be read.
    frameworkErrors: (error, request, reply) =>
      problemHandler(clock)(error, request, reply.headers(securityHeaders())),
    clientErrorHandler: answerClientError,
  };
}

/**
 * A caller's own id is kept, so that its log and ours can be joined, if it can do no harm in a log. Others are made of
 * what is this server's alone and a count: a UUID for each takes three times that.
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
    description: 'Links to the rest, and which market the figures come from.',
    response: publicResponses({ 200: indexSchema }),
  };
  const notice = marketData.simulated
    ? 'The market is simulated: prices, exposures and totals are invented and mean nothing.'
    : null;
  app.get('/', { schema, config: { public: true } }, async () => ({
    service: 'symbol-onboarding' as const,
    version: manifest.version,
    market_data: marketData,
    notice,
    links: indexLinks,
  }));
}
