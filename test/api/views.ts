import type { ActorView, TimelineView, TransitionView } from '../../src/contract/schemas.ts';

export const portfolioId = '0199a000-0000-7000-8000-000000000001';
export const jobId = '0199a000-0000-7000-8000-000000000002';
export const missingId = '0199a000-0000-7000-8000-0000000000ff';
const at = '2026-03-02T14:30:00.000Z';

export const snapshot = {
  snapshot_date: '2026-02-27',
  total_value: '1200.00',
  total_cost: '1000.00',
  total_pnl: '200.00',
  pnl_percent: '20.0000',
  long_value: '1200.00',
  short_value: '0.00',
  gross_exposure: '1200.00',
  net_exposure: '1200.00',
  realized_pnl: '0.00',
  position_count: 1,
  unpriced_count: 0,
  pending_count: 1,
  missing_fx_count: 0,
  coverage: '0.5',
  is_complete: false,
  oldest_price_date: '2026-02-27',
  computed_at: at,
  revision: 1,
};

export const job = {
  job_id: jobId,
  symbol: 'BRK-B',
  reason: 'upload' as const,
  status: 'processing' as const,
  outcome: null,
  state: 'processing.fetch.running',
  phase: 'fetch' as const,
  attempt: 1,
  progress: 0,
  retry_at: null,
  waited_ms: 0,
  resumes: 0,
  sequence: 2,
  node: 'node-1',
  error: null,
  cancel_requested_at: null,
  created_at: at,
  started_at: at,
  finished_at: null,
  updated_at: at,
};

export function transition(position: number): TransitionView {
  return {
    job_id: jobId,
    symbol: 'BRK-B',
    position,
    sequence: position,
    from: 'pending',
    to: 'processing.fetch.running',
    event: 'permit.granted',
    status: 'processing',
    phase: 'fetch',
    attempt: 1,
    progress: 0,
    duration_ms: 12,
    node: 'node-1',
    claim_epoch: 1,
    error: null,
    at,
  };
}

export const jobDetail = {
  ...job,
  actor_snapshot: {
    status: 'active',
    value: { processing: { fetch: 'running' } },
    context: { attempt: 1 },
  },
  timeline: [transition(1), transition(2)],
};

export const lot = {
  lot_id: missingId,
  line: 1,
  symbol: 'BRK-B',
  class: 'PUBLIC' as const,
  subtype: null,
  underlying_symbol: null,
  strike_price: null,
  expiration_date: null,
  option_type: null,
  quantity: '10',
  multiplier: 1,
  currency: 'USD',
  entry_price: '100',
  entry_date: '2025-01-02',
  exit_price: null,
  exit_date: null,
  last_close: '120',
  price_date: '2026-02-27',
  stale_sessions: 0,
  fx_value: '1',
  fx_cost: '1',
  market_value: '1200',
  cost: '1000',
  pnl: '200',
  pnl_percent: '20.0000',
  disposition: 'priced' as const,
  reason: null,
  warnings: [],
};

export const portfolio = {
  portfolio_id: portfolioId,
  name: 'Mine',
  base_currency: 'USD',
  owner: 'local',
  status: 'pending' as const,
  lot_count: 2,
  progress: { total: 1, ready: 0, pending: 1, failed: 0, fraction: 0.2 },
  warnings: [],
  symbols: [
    {
      symbol: 'BRK-B',
      status: 'processing' as const,
      message: 'Loading data...',
      phase: 'factors' as const,
      progress: 0.2,
      job_id: jobId,
    },
  ],
  snapshot,
  created_at: at,
  updated_at: at,
};

export const symbolStatus = {
  symbol: 'BRK-B',
  status: 'processing' as const,
  message: 'Loading data...',
  estimated_seconds: 7,
  phase: 'factors' as const,
  attempt: 1,
  progress: 0.2,
  quality: null,
  ready_at: null,
  job_id: jobId,
};

export const profile = {
  symbol: '^GSPC',
  status: 'ready' as const,
  is_active: true,
  name: 'S&P 500',
  type: 'INDEX' as const,
  currency: 'USD',
  exchange: 'SNP',
  time_zone: 'America/New_York',
  provider: 'simulated',
  first_price_date: '2025-02-27',
  last_price_date: '2026-02-27',
  last_price: '6000.25',
  quality: 'full_history' as const,
  quality_reason: null,
  calculation_date: '2026-02-27',
  ready_at: at,
  updated_at: at,
};

export const prices = {
  symbol: 'AAPL',
  currency: 'USD',
  bars: [
    {
      date: '2026-02-27',
      open: null,
      high: null,
      low: null,
      close: '239.65',
      adjusted_close: 239.64999389648438,
      volume: '1000',
    },
  ],
};

export const exposures = {
  symbol: 'AAPL',
  calculation_date: '2026-02-27',
  quality: 'full_history' as const,
  proxy_version: '2026-02-27',
  exposures: [],
  notes: ['Spread and market betas must not be added.'],
};

export const overview = {
  paused: false,
  depth: 1,
  running: 1,
  cluster_running: null,
  limits: { depth: 50, concurrency: 3, cluster_concurrency: null, prefetch: 50 },
  counts: { pending: 0, processing: 1, completed: 0, failed: 0, cancelled: 0 },
  throughput: { finished_last_hour: 0, median_seconds: null },
  estimated_drain_seconds: 7,
  node: 'node-1',
  feed_position: 2,
  refresh: { enabled: true, due: 0, unfinished: 0 },
  market_data: { providers: ['simulated'], simulated: true, breaker: null, limiter: null },
};

export const portfolioExposures = {
  portfolio_id: portfolioId,
  base_currency: 'USD',
  gross_value: '1200.00',
  net_value: '1200.00',
  oldest_calculation_date: '2026-02-27',
  exposures: [
    {
      factor: 'market_beta',
      group: 'market' as const,
      dollar_exposure: '1080.00',
      assumed_dollar_exposure: '0.00',
      measured_gross_value: '1200.00',
      measured_net_value: '1200.00',
      beta_gross: 0.9,
      beta_net: 0.9,
      beta_net_reason: null,
      gross_shares: {
        full_history: '1.000000',
        limited_history: '0.000000',
        default: '0.000000',
        not_applicable: '0.000000',
      },
    },
  ],
  notes: ['Spread and market betas must not be added.'],
};

export const actor: ActorView = {
  actor_id: jobId,
  kind: 'job',
  job_id: jobId,
  symbol: 'BRK-B',
  source: 'journal',
  node: 'node-2',
  status: 'active',
  state: 'processing.fetch.backingOff',
  value: { processing: { fetch: 'backingOff' } },
  context: { attempt: 2 },
  since: at,
  permit: false,
  waiting_for: { kind: 'time', detail: 'it retries at this time', until: at, place: null },
  children: [{ id: 'sleepUntil', src: 'sleepUntil', state: null, job_id: null }],
  committed: { state: 'processing.fetch.backingOff', status: 'processing', sequence: 3, at },
};

export const actors = {
  node: 'node-1',
  supervisor: {
    ...actor,
    actor_id: 'supervisor',
    kind: 'supervisor' as const,
    job_id: null,
    symbol: null,
    source: 'live' as const,
    permit: null,
    committed: null,
  },
  actors: [actor],
  next_cursor: jobId,
};

export const timeline: TimelineView = {
  job_id: jobId,
  symbol: 'BRK-B',
  status: 'processing',
  entries: [
    {
      ...transition(1),
      provider_requests: [],
      provider_fallbacks: [
        { from: 'yahoo', to: 'files', code: 'provider_timeout', message: 'No answer in 10 s.', at },
      ],
      requests_omitted: 0,
      database_writes: 0,
    },
  ],
  next_cursor: '1',
};
