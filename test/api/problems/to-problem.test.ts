import { describe, expect, test } from 'vitest';
import { problemCatalog } from '../../../src/api/problems/problem-catalog.ts';
import { toProblem } from '../../../src/api/problems/to-problem.ts';
import { problemSchema } from '../../../src/contract/schemas.ts';
import { AppError } from '../../../src/kernel/errors.ts';

const context = { instance: '/x', requestId: 'r1', now: Date.parse('2026-03-02T14:30:00Z') };

describe('toProblem', () => {
  test.each(Object.entries(problemCatalog))('%s has its status, title and cure', (code, entry) => {
    const { problem } = toProblem(new AppError(code, 'Why.'), context);
    expect(problemSchema.parse(problem)).toEqual(problem);
    expect(problem).toMatchObject({ code, type: `/problems/${code}`, status: entry.status });
    expect(entry.title).not.toMatch(/\.$/);
    expect(entry.fix).toMatch(/\.$/);
  });

  test('publishes the details that the schema names, and no others', () => {
    const error = new AppError('queue_full', 'Full.', { details: { limit: 50, sql: 'select 1' } });
    const { problem } = toProblem(error, context);
    expect(problem).toMatchObject({ limit: 50 });
    expect(problem).not.toHaveProperty('sql');
  });

  test('waits at least a second, and five where nobody said how long', () => {
    const past = new AppError('provider_throttled', 'Wait.', { retryAt: context.now - 1 });
    expect(toProblem(past, context).headers).toEqual({ 'retry-after': '1' });
    const silent = new AppError('provider_timeout', 'Slow.', { retryable: true });
    expect(toProblem(silent, context).headers).toEqual({ 'retry-after': '5' });
  });

  test.each([new Error('secret'), 'secret', null, undefined, { message: 'secret' }])(
    'says nothing about %o but the request id',
    (thrown) => {
      const { problem } = toProblem(thrown, context);
      expect(problem).toMatchObject({ status: 500, code: 'internal_error' });
      expect(JSON.stringify(problem)).not.toContain('secret');
    },
  );

  test('hides an AppError that nobody listed and that is not worth a retry', () => {
    const { problem } = toProblem(new AppError('unusable_data', 'secret'), context);
    expect(problem).toMatchObject({ status: 500, code: 'internal_error' });
    expect(problem.detail).not.toContain('secret');
  });

  test('names a thousand places at most, however many are wrong', () => {
    const validation = Array.from({ length: 5000 }, (_, at) => ({
      instancePath: `/positions/${at}`,
      keyword: 'invalid_type',
      message: 'expected an object',
    }));
    const { problem } = toProblem({ validation, validationContext: 'body' }, context);
    expect(problem.errors).toHaveLength(1000);
    expect(problem.detail).toContain('and 4997 more');
  });
});
