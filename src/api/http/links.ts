/** Paths of the resources. Only the routes know them; the service behind them does not. */

const segment = encodeURIComponent; // `^GSPC` and `EURUSD=X` are symbols

export const portfolioPath = (id: string) => `/portfolios/${segment(id)}`;
export const symbolPath = (symbol: string) => `/symbols/${segment(symbol)}`;
export const jobPath = (id: string) => `/onboarding/jobs/${segment(id)}`;

export function portfolioLinks(id: string): Record<string, string> {
  const self = portfolioPath(id);
  return {
    self,
    positions: `${self}/positions`,
    snapshots: `${self}/snapshots`,
    exposures: `${self}/exposures`,
  };
}

export function symbolLinks(symbol: string, jobId: string | null = null): Record<string, string> {
  const self = symbolPath(symbol);
  return {
    self,
    status: `${self}/status`,
    prices: `${self}/prices`,
    exposures: `${self}/exposures`,
    onboarding: `${self}/onboarding`,
    ...(jobId === null ? {} : { job: jobPath(jobId) }),
  };
}

/** Links of an actor and its job. */
export function actorLinks({ actor_id, job_id }: { actor_id: string; job_id: string | null }) {
  const self = `/onboarding/actors/${segment(actor_id)}`;
  const own: Record<string, string> =
    job_id === null ? {} : { job: jobPath(job_id), timeline: `${jobPath(job_id)}/timeline` };
  return { self, ...own };
}

/** Links of a job and its symbol, and the commands that its status allows. */
export function jobLinks({ job_id, symbol, status, outcome }: LinkedJob): Record<string, string> {
  const self = jobPath(job_id);
  const retryable = status === 'failed' || outcome === 'partial';
  const cancellable = status === 'pending' || status === 'processing';
  return {
    self,
    symbol: symbolPath(symbol),
    status: `${symbolPath(symbol)}/status`,
    timeline: `${self}/timeline`,
    actor: `/onboarding/actors/${segment(job_id)}`,
    jobs: `/onboarding/jobs?symbol=${segment(symbol)}`,
    ...(retryable && { retry: `${self}/retry` }),
    ...(cancellable && { cancel: `${self}/cancel` }),
  };
}

interface LinkedJob {
  job_id: string;
  symbol: string;
  status?: string;
  outcome?: string | null;
}

export const indexLinks = {
  self: '/',
  portfolios: '/portfolios',
  portfolio_template: '/portfolios/template.csv',
  symbols: '/symbols',
  symbol_statuses: '/symbols/status',
  symbol_status: '/symbols/{symbol}/status',
  symbol: '/symbols/{symbol}',
  onboarding: '/onboarding',
  jobs: '/onboarding/jobs',
  actors: '/onboarding/actors',
  diagnosis: '/onboarding/diagnosis',
  live: '/ws',
  events: '/events',
  inspector: '/inspector',
  inspect: '/ws/inspect',
  tickets: '/tickets',
  health_live: '/health/live',
  health_ready: '/health/ready',
  metrics: '/metrics',
  openapi: '/openapi.json',
  asyncapi: '/asyncapi.json',
  docs: '/docs/',
  problems: '/problems',
};
