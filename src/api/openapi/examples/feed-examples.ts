import type { ClientFrame, Frame, FrameOf, SnapshotView } from '../../../contract/schemas.ts';
import { errorFrame, helloFrame, liveLimits } from '../../feed/frames.ts';
import { jobExample, transitionExample } from './onboarding-examples.ts';

const portfolio = '01a20497-1f04-7bd1-9f0e-5d2f8a3f1c11';
const { symbol, job_id } = jobExample;

const before: SnapshotView = {
  snapshot_date: '2026-11-20',
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
  unpriced_count: 1,
  pending_count: 1,
  missing_fx_count: 0,
  coverage: '0.500000',
  is_complete: false,
  oldest_price_date: '2026-11-20',
  computed_at: '2026-11-22T18:49:02.974Z',
  revision: 1,
};

const after: SnapshotView = {
  ...before,
  total_value: '6102.50',
  total_cost: '2000.00',
  total_pnl: '4102.50',
  pnl_percent: '205.1250',
  long_value: '6102.50',
  gross_exposure: '6102.50',
  net_exposure: '6102.50',
  position_count: 2,
  unpriced_count: 0,
  pending_count: 0,
  coverage: '1.000000',
  is_complete: true,
  computed_at: '2026-11-22T18:49:03.412Z',
  revision: 2,
};

/** One frame of each type that a client may send. */
export const clientFrameExamples: { [Type in ClientFrame['type']]: FrameOf<Type> } = {
  subscribe: { type: 'subscribe', subscriptions: [{ id: 'mine', portfolios: [portfolio] }] },
  resume: {
    type: 'resume',
    after: 342,
    subscriptions: [
      { id: 'mine', portfolios: [portfolio] },
      { id: 'watchlist', symbols: ['AAPL', 'BRK.B'] },
    ],
  },
  unsubscribe: { type: 'unsubscribe', subscriptions: ['watchlist'] },
};

/** One frame of each type that the service sends. */
export const frameExamples: { [Type in Frame['type']]: FrameOf<Type> } = {
  hello: helloFrame({
    position: 341,
    now: Date.parse('2026-11-22T18:49:03.100Z'),
    marketData: { providers: ['yahoo'], simulated: false },
    limits: liveLimits,
  }),
  subscribed: { type: 'subscribed', subscription: 'mine', position: 341, truncated: false },
  portfolio: {
    type: 'portfolio',
    subscription: 'mine',
    position: 341,
    portfolio_id: portfolio,
    symbols: ['AAPL', symbol],
    snapshot: before,
  },
  actor: {
    type: 'actor',
    subscription: 'mine',
    position: 341,
    job: jobExample,
    actor_snapshot: {
      status: 'active',
      value: { processing: { fetch: 'running' } },
      context: { jobId: job_id, symbol, phase: 'fetch', attempt: 1, permit: true },
    },
  },
  live: { type: 'live', subscriptions: ['mine'], position: 341 },
  resumed: { type: 'resumed', subscriptions: ['mine', 'watchlist'], after: 342, until: 360 },
  resync: { type: 'resync', reason: 'expired', after: 342, floor: 90_000, head: 104_211 },
  transition: { type: 'transition', ...transitionExample },
  'snapshot.updated': {
    type: 'snapshot.updated',
    position: 351,
    portfolio_id: portfolio,
    cause: symbol,
    before,
    after,
  },
  unsubscribed: { type: 'unsubscribed', subscriptions: ['watchlist'] },
  position: { type: 'position', position: 412 },
  coalesced: { type: 'coalesced', after: 360, until: 398, skipped: 21 },
  error: errorFrame('portfolio_not_found', `There is no portfolio ${portfolio}.`, 'mine'),
};
