import { describe, expect, test } from 'vitest';
import { phases } from '../../machines/protocol.ts';
import { type SymbolFacts, statusIn } from '../../src/universe/symbol-status.ts';

const ready_at = '2026-11-22T18:49:03.744Z';
const facts: SymbolFacts = {
  readyAt: null,
  quality: null,
  qualityReason: null,
  jobId: 'j',
  jobStatus: 'processing',
  phase: 'fetch',
  attempt: 1,
  errorCode: null,
  errorMessage: null,
  paused: false,
};
const of = (changes: Partial<SymbolFacts>) => statusIn('AAPL', { ...facts, ...changes }, { retryLimit: 3 });

describe('the progress of a symbol', () => {
  test.each(phases.map((phase, behind) => [phase, behind / 5] as const))('in %s is %d', (phase, progress) => {
    expect(of({ phase })).toMatchObject({ status: 'processing', phase, progress });
    // Ready is ready, also while it is refreshed.
    expect(of({ phase, readyAt: ready_at })).toMatchObject({ status: 'ready', phase, progress });
  });

  test('is nothing while its job waits, be it for a retry of a later phase, and whole once it is ready', () => {
    expect(of({ jobStatus: 'pending', phase: 'snapshot' })).toMatchObject({ status: 'pending', progress: 0 });
    expect(of({ jobStatus: 'completed', phase: 'cache', readyAt: ready_at })).toMatchObject({
      ...{ status: 'ready', phase: null, attempt: null, progress: 1, ready_at },
    });
    expect(of({ jobStatus: 'failed', phase: 'cache' })).toMatchObject({ status: 'error', progress: 0 });
  });
});

describe('the message of a symbol', () => {
  const messageOf = (changes: Partial<SymbolFacts>) => of(changes).message;

  test('is of the phase that runs, and of no other', () => {
    const messages = phases.map((phase) => messageOf({ phase }));
    expect(new Set(messages).size).toBe(phases.length);
    expect(messages[0]).toBe('Loading prices...');
  });

  test('counts attempts from the second one on, as many as there may be', () => {
    expect(messageOf({ attempt: 1 })).toBe('Loading prices...');
    expect(messageOf({ attempt: 2 })).toBe('Loading prices (attempt 2 of 4)');
    expect(messageOf({ attempt: 4 })).toBe('Loading prices (attempt 4 of 4)');
    expect(messageOf({ jobStatus: 'failed', attempt: 1 })).not.toContain('attempts');
    expect(messageOf({ jobStatus: 'failed', attempt: 4 })).toContain('after 4 attempts');
  });

  test('says of one that is ready what is remarkable about it', () => {
    const done = { readyAt: ready_at, jobStatus: 'completed', quality: 'full_history' } as const;
    const plain = messageOf(done);
    expect(messageOf({ ...done, quality: 'limited_history' })).toContain('short history');
    expect(messageOf({ ...done, quality: 'default' })).toContain('placeholders');
    expect(messageOf({ ...done, jobStatus: 'processing' })).toContain('update');
    expect(messageOf({ ...done, jobStatus: 'failed' })).toContain('failed');
    expect(
      messageOf({ ...done, jobStatus: 'failed', errorCode: 'delisted', errorMessage: 'It ended.' }),
    ).toBe(`${plain}; It ended.`);
  });
});
