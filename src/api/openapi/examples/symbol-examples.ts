import type { z } from 'zod';
import type {
  exposuresSchema,
  pricesSchema,
  symbolSchema,
  symbolStatusSchema,
} from '../../../contract/schemas.ts';
import { symbolLinks } from '../../http/links.ts';
import type { OperationExample } from './examples.ts';

const jobId = '01a20497-20ee-7120-a7a2-4d5a9d1ce6da';

const ready: z.output<typeof symbolStatusSchema> = {
  symbol: 'AAPL',
  status: 'ready',
  message: 'Symbol data available',
  estimated_seconds: null,
  phase: null,
  attempt: null,
  progress: 1,
  quality: 'full_history',
  ready_at: '2026-11-22T18:49:03.744Z',
  job_id: null,
  links: symbolLinks('AAPL'),
};

const processing: z.output<typeof symbolStatusSchema> = {
  symbol: 'BRK-B',
  status: 'processing',
  message: 'Loading data...',
  estimated_seconds: 7,
  phase: 'fetch',
  attempt: 1,
  progress: 0,
  quality: null,
  ready_at: null,
  job_id: jobId,
  links: symbolLinks('BRK-B', jobId),
};

const profile: z.output<typeof symbolSchema> = {
  symbol: 'AAPL',
  status: 'ready',
  is_active: true,
  name: 'Apple Inc.',
  type: 'EQUITY',
  currency: 'USD',
  exchange: 'NMS',
  time_zone: 'America/New_York',
  provider: 'yahoo',
  first_price_date: '2025-11-20',
  last_price_date: '2026-11-20',
  last_price: '207.9285',
  quality: 'full_history',
  quality_reason: null,
  calculation_date: '2026-11-20',
  ready_at: '2026-11-22T18:49:03.744Z',
  updated_at: '2026-11-22T18:49:03.744Z',
  links: symbolLinks('AAPL'),
};

const prices: z.output<typeof pricesSchema> = {
  symbol: 'AAPL',
  currency: 'USD',
  bars: [
    {
      date: '2026-11-20',
      open: '206.9778',
      high: '208.1427',
      low: '206.1756',
      close: '207.9285',
      adjusted_close: 207.92851257324219,
      volume: '6379209',
    },
  ],
};

const exposures: z.output<typeof exposuresSchema> = {
  symbol: 'AAPL',
  calculation_date: '2026-11-20',
  quality: 'full_history',
  proxy_version: '2026-11-20',
  exposures: [
    {
      factor: 'market_beta',
      group: 'market',
      method: 'ols',
      beta: 0.7798284184608095,
      raw_beta: 0.7798284184608095,
      capped: false,
      intercept: 0.0015396655018511593,
      standard_error: 0.09842089679620672,
      t: 7.923402893549587,
      interval_low: 0.5842375677701135,
      interval_high: 0.9754192691515056,
      r_squared: 0.4163694317396533,
      condition_number: null,
      observations: 90,
      window: 90,
      window_start: '2026-07-20',
      window_end: '2026-11-20',
      quality: 'full_history',
      reason: null,
      warnings: [],
    },
  ],
  notes: ['Market, rates and spread betas come from separate univariate regressions and must not be added.'],
};

const symbol = 'AAPL';

export const symbolExamples: Record<string, OperationExample> = {
  searchSymbols: {
    parameters: { query: 'apple', limit: 50 },
    answers: { 200: { symbols: [profile], next_cursor: null } },
  },
  listSymbolStatuses: {
    parameters: { symbols: ['AAPL', 'BRK-B'] },
    answers: { 200: { symbols: [ready, processing] } },
  },
  onboardSymbol: { parameters: { symbol }, answers: { 200: ready, 202: processing } },
  getSymbolStatus: { parameters: { symbol }, answers: { 200: ready } },
  getSymbol: { parameters: { symbol }, answers: { 200: profile } },
  listPrices: {
    parameters: { symbol, from: '2026-11-20', to: '2026-11-20' },
    answers: { 200: prices },
  },
  listExposures: { parameters: { symbol, date: '2026-11-20' }, answers: { 200: exposures } },
};
