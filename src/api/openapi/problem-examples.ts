import type { Problem } from '../../contract/schemas.ts';
import { type ProblemCode, problemCatalog } from '../problems/problem-catalog.ts';

/** Example values of the fields that the catalog entry of a code does not decide. */
const particulars: Partial<Record<ProblemCode, Partial<Problem>>> = {
  invalid_request: {
    detail: 'Invalid `limit` "9000". Allowed: at most 500.',
    errors: [
      {
        code: 'too_big',
        message: 'Invalid `limit` "9000". Allowed: at most 500.',
        value: '9000',
        path: 'limit',
      },
    ],
  },
  invalid_rows: {
    detail: 'Found 1 problem in the rows. Nothing was saved.',
    errors: [
      {
        code: 'ERR_POS_006',
        message: 'The quantity is zero. Write the number of shares, or remove the row.',
        row: 3,
        column: 'Quantity',
        value: '0',
      },
    ],
    warnings: [],
  },
  invalid_symbols: {
    detail: 'Invalid symbols: APPL. Nothing was saved.',
    symbols: [{ symbol: 'APPL', reason: 'The market-data provider does not know it.' }],
  },
  symbols_unverifiable: {
    detail: 'The market-data provider cannot verify AAPL now. Nothing was saved.',
    symbols: [{ symbol: 'AAPL', reason: 'The provider did not answer.' }],
    retry_after_seconds: 30,
  },
  too_many_symbols: {
    detail: '60 new symbols need onboarding, but the queue holds at most 50. Nothing was saved.',
    needed: 60,
    limit: 50,
  },
  queue_full: {
    detail:
      '4 new symbols need onboarding, but the queue has room for 2 (48 of 50 in use). Nothing was saved.',
    needed: 4,
    depth: 48,
    limit: 50,
    retry_after_seconds: 42,
  },
  payload_too_large: { detail: 'The file is larger than 10 MiB.', limit: 10_485_760 },
  unsupported_media_type: {
    detail: 'Unsupported content type text/plain. Allowed: text/csv, multipart/form-data, application/json.',
    accept: ['text/csv', 'multipart/form-data', 'application/json'],
  },
  symbol_busy: {
    detail: 'Job 0199a000-0000-7000-8000-000000000002 is already onboarding this symbol.',
    job_id: '0199a000-0000-7000-8000-000000000002',
  },
  not_ready: {
    detail: 'Not ready: database.',
    checks: [{ name: 'database', status: 'failed', message: 'It does not answer.', duration_ms: 2000 }],
  },
};

export function problemExample(code: ProblemCode): Problem {
  const { title, status } = problemCatalog[code];
  return {
    type: `/problems/${code}`,
    title,
    status,
    code,
    detail: `${title}.`,
    instance: '/the/requested/path',
    request_id: '7f1c2a4e-8f0b-4a55-9f4e-1d7c1b1c9a10',
    ...particulars[code],
  };
}

/** `components.examples`: one problem of each code. */
export function problemExamples(codes: readonly ProblemCode[]): Record<string, object> {
  const ascending = [...codes].sort();
  return Object.fromEntries(
    ascending.map((code) => {
      const { title, fix } = problemCatalog[code];
      return [code, { summary: title, description: fix, value: problemExample(code) }];
    }),
  );
}
