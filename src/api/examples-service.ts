import type { z } from 'zod';
import type { OperationExample } from './examples.ts';
import { indexLinks } from './links.ts';
import type { indexSchema, readySchema } from './schemas.ts';

const index: z.output<typeof indexSchema> = {
  service: 'symbol-onboarding',
  version: '0.1.0',
  market_data: { providers: ['yahoo'], simulated: false },
  notice: null,
  links: indexLinks,
};

const ready: z.output<typeof readySchema> = {
  status: 'ok',
  checks: [
    { name: 'database', status: 'ok', message: null, duration_ms: 1 },
    { name: 'supervisor', status: 'ok', message: null, duration_ms: 0 },
  ],
};

export const serviceExamples: Record<string, OperationExample> = {
  getIndex: { answers: { 200: index } },
  getLive: { answers: { 200: { status: 'ok' } } },
  getReady: { answers: { 200: ready } },
  createTicket: {
    answers: {
      201: { ticket: 'fM3kYb0x9uVq2o6cW1r7TzJ5nH8sGdLaPeXiCvKtQwE', expires_at: '2026-03-02T14:30:30.000Z' },
    },
  },
  getApiDocument: {
    answers: { 200: { openapi: '3.1.1', info: { title: 'Symbol onboarding', version: '0.1.0' }, paths: {} } },
  },
};
