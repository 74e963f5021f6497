import type { z } from 'zod';
import type {
  DryRunView,
  LotView,
  PortfolioView,
  portfolioExposuresSchema,
  portfolioInputSchema,
  portfoliosSchema,
  SnapshotView,
  uploadedSchema,
} from '../../../contract/schemas.ts';
import { portfolioLinks } from '../../http/links.ts';
import type { OperationExample } from './examples.ts';

const id = '01a20497-20ad-7ab9-9f45-238de1271e1d';
const csv = `Symbol,Quantity,Entry Price Per Share,Entry Date,Investment Class
AAPL,10,150,2025-06-30,
BRK.B,-5,400,2025-03-03,
USD,1000,1,2025-01-02,CASH
`;

const body: z.input<typeof portfolioInputSchema> = {
  name: 'Mine',
  base_currency: 'USD',
  positions: [
    { symbol: 'AAPL', quantity: '10', entry_price: '150', entry_date: '2025-06-30' },
    { symbol: 'BRK.B', quantity: '-5', entry_price: '400', entry_date: '2025-03-03' },
    {
      symbol: 'USD',
      quantity: '1000',
      entry_price: '1',
      entry_date: '2025-01-02',
      investment_class: 'CASH',
    },
  ],
};

type Uploaded = z.output<typeof uploadedSchema>;
const ready: Uploaded = {
  portfolio_id: id,
  status: 'ready',
  pending_symbols: [],
  warnings: [],
  links: portfolioLinks(id),
};
const pending: Uploaded = { ...ready, status: 'pending', pending_symbols: ['BRK-B'] };

const snapshot: SnapshotView = {
  snapshot_date: '2026-11-20',
  total_value: '3079.29',
  total_cost: '2500.00',
  total_pnl: '579.29',
  pnl_percent: '23.1714',
  long_value: '3079.29',
  short_value: '0.00',
  gross_exposure: '3079.29',
  net_exposure: '3079.29',
  realized_pnl: '0.00',
  position_count: 2,
  unpriced_count: 0,
  pending_count: 1,
  missing_fx_count: 0,
  coverage: '0.555556',
  is_complete: false,
  oldest_price_date: '2026-11-20',
  computed_at: '2026-11-22T18:49:03.685Z',
  revision: 1,
};

const summary: Omit<PortfolioView, 'progress' | 'symbols' | 'warnings'> = {
  portfolio_id: id,
  name: 'Mine',
  base_currency: 'USD',
  owner: 'local',
  status: 'pending',
  lot_count: 3,
  snapshot,
  created_at: '2026-11-22T18:49:02.900Z',
  updated_at: '2026-11-22T18:49:02.900Z',
};

const portfolio: PortfolioView = {
  ...summary,
  progress: { total: 2, ready: 1, pending: 1, failed: 0, fraction: 0.7 },
  symbols: [
    {
      symbol: 'AAPL',
      status: 'ready',
      message: 'Symbol data available',
      phase: null,
      progress: 1,
      job_id: null,
    },
    {
      symbol: 'BRK-B',
      status: 'processing',
      message: 'Calculating factor exposures',
      phase: 'universe',
      progress: 0.4,
      job_id: '01a20497-20ee-7120-a7a2-4d5a9d1ce6da',
    },
  ],
  warnings: [
    {
      code: 'split_since_entry',
      message:
        'AAPL split 4 for 1 on 2026-08-31, after one of its lots was entered. See the warnings of its lots.',
    },
  ],
};

const list: z.output<typeof portfoliosSchema> = {
  portfolios: [{ ...summary, links: portfolioLinks(id) }],
  next_cursor: null,
};

const lot: LotView = {
  lot_id: '01a20497-20be-7cb8-9de4-313a1fb3fa94',
  line: 2,
  symbol: 'AAPL',
  class: 'PUBLIC',
  subtype: null,
  underlying_symbol: null,
  strike_price: null,
  expiration_date: null,
  option_type: null,
  quantity: '10',
  multiplier: 1,
  currency: 'USD',
  entry_price: '150',
  entry_date: '2025-06-30',
  exit_price: null,
  exit_date: null,
  last_close: '207.9285',
  price_date: '2026-11-20',
  stale_sessions: 0,
  fx_value: '1',
  fx_cost: '1',
  market_value: '2079.285',
  cost: '1500',
  pnl: '579.285',
  pnl_percent: '38.6190',
  disposition: 'priced',
  reason: null,
  warnings: [],
};

const exposures: z.output<typeof portfolioExposuresSchema> = {
  portfolio_id: id,
  base_currency: 'USD',
  gross_value: '3079.29',
  net_value: '3079.29',
  oldest_calculation_date: '2026-11-20',
  exposures: [
    {
      factor: 'market_beta',
      group: 'market',
      dollar_exposure: '1621.49',
      assumed_dollar_exposure: '0.00',
      measured_gross_value: '2079.29',
      measured_net_value: '2079.29',
      beta_gross: 0.7798284184608095,
      beta_net: 0.7798284184608095,
      beta_net_reason: null,
      gross_shares: {
        full_history: '0.675248',
        limited_history: '0.000000',
        default: '0.000000',
        not_applicable: '0.324752',
      },
    },
  ],
  notes: ['Market, rates and spread betas come from separate univariate regressions and must not be added.'],
};

const forecast: DryRunView = {
  would: 'pending',
  lot_count: 2,
  pending_symbols: ['BRK-B'],
  warnings: [],
  snapshot: { ...snapshot, revision: 1 },
};

const page = { portfolio_id: id, base_currency: 'USD', next_cursor: null };

export const portfolioExamples: Record<string, OperationExample> = {
  uploadPortfolio: {
    parameters: {
      'idempotency-key': '8e03978e-40d5-43dd-bc93-6894a57f9324',
      name: 'Mine',
      base_currency: 'USD',
      allow_duplicates: 'false',
      dry_run: 'false',
    },
    body: {
      'text/csv': csv,
      'multipart/form-data': { file: csv, name: 'Mine', base_currency: 'USD' },
      'application/json': body,
    },
    answers: { 200: forecast, 201: ready, 202: pending },
  },
  listPortfolios: { parameters: { limit: 50 }, answers: { 200: list } },
  getPortfolioTemplate: {
    answers: {
      200: 'Symbol,Quantity,Entry Price Per Share,Entry Date\r\nAAPL,100,172.40,2024-03-15\r\n',
    },
  },
  getPortfolio: {
    parameters: { id },
    answers: { 200: { ...portfolio, links: portfolioLinks(id) } },
  },
  deletePortfolio: { parameters: { id } },
  listPositions: { parameters: { id, limit: 1000 }, answers: { 200: { ...page, positions: [lot] } } },
  listSnapshots: { parameters: { id, limit: 100 }, answers: { 200: { ...page, snapshots: [snapshot] } } },
  listPortfolioExposures: { parameters: { id }, answers: { 200: exposures } },
};
