import type { z } from 'zod';
import type { OperationExample } from './examples.ts';
import { indexLinks } from './links.ts';
import type { indexSchema, problemEntrySchema, readySchema } from './schemas.ts';

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

const problem: z.output<typeof problemEntrySchema> = {
  code: 'queue_full',
  type: '/problems/queue_full',
  status: 503,
  title: 'Onboarding queue is full',
  cure: 'Try again after Retry-After. Nothing was saved.',
  found_in: ['answer'],
  job_title: null,
  job_cure: null,
  operations: ['uploadPortfolio', 'onboardSymbol', 'retryJob'],
};

const page = '<!doctype html><html lang="en"><title>Onboarding queue is full</title></html>';

export const serviceExamples: Record<string, OperationExample> = {
  getIndex: { answers: { 200: index } },
  getLive: { answers: { 200: { status: 'ok' } } },
  getReady: { answers: { 200: ready } },
  createTicket: {
    answers: {
      201: { ticket: 'fM3kYb0x9uVq2o6cW1r7TzJ5nH8sGdLaPeXiCvKtQwE', expires_at: '2026-03-02T14:30:30.000Z' },
    },
  },
  listProblems: {
    answers: { 200: { problems: [problem] } },
    pages: { 200: page },
  },
  getProblem: { parameters: { code: 'queue_full' }, answers: { 200: problem }, pages: { 200: page } },
  getApiDocument: {
    answers: { 200: { openapi: '3.1.1', info: { title: 'Symbol onboarding', version: '0.1.0' }, paths: {} } },
  },
};
