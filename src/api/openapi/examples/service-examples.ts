import type { z } from 'zod';
import type {
  DiagnosisView,
  indexSchema,
  problemEntrySchema,
  readySchema,
} from '../../../contract/schemas.ts';
import { indexLinks } from '../../http/links.ts';
import type { OperationExample } from './examples.ts';

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
    { name: 'schema', status: 'ok', message: null, duration_ms: 2 },
    { name: 'queue', status: 'ok', message: null, duration_ms: 3 },
    { name: 'supervisor', status: 'ok', message: null, duration_ms: 0 },
    { name: 'feed', status: 'ok', message: null, duration_ms: 0 },
    { name: 'claims', status: 'ok', message: null, duration_ms: 0 },
    { name: 'requests', status: 'ok', message: null, duration_ms: 0 },
    { name: 'permits', status: 'ok', message: null, duration_ms: 0 },
    { name: 'leases', status: 'ok', message: null, duration_ms: 0 },
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

const diagnosis: DiagnosisView = {
  verdict: 'warning',
  node: 'server-1-4711-00e1ae3d',
  checked_at: '2026-03-02T14:30:00.000Z',
  findings: [
    {
      name: 'database',
      verdict: 'ok',
      evidence: 'PostgreSQL 18.1 answers in 1 ms; all 3 migrations are applied.',
      cure: null,
      duration_ms: 6,
    },
    {
      name: 'proxies',
      verdict: 'warning',
      evidence: 'The proxies of the session 2026-02-27 are not stored; the latest are of 2026-02-26.',
      cure: 'Nothing, if no job has run since: the next one fetches them. Else see `provider`.',
      duration_ms: 3,
    },
  ],
};

export const serviceExamples: Record<string, OperationExample> = {
  getIndex: { answers: { 200: index } },
  getLive: { answers: { 200: { status: 'ok' } } },
  getDiagnosis: { answers: { 200: diagnosis } },
  getMetrics: {
    answers: {
      200: '# HELP onboarding_depth Jobs admitted and not finished, in the cluster.\n# TYPE onboarding_depth gauge\nonboarding_depth 1\n',
    },
  },
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
  getFeedDocument: {
    answers: {
      200: {
        asyncapi: '3.0.0',
        info: { title: 'Symbol onboarding: the feed', version: '0.1.0' },
        channels: {},
      },
    },
  },
  getApiDocument: {
    answers: { 200: { openapi: '3.1.1', info: { title: 'Symbol onboarding', version: '0.1.0' }, paths: {} } },
  },
};
