import type { CancelAnswer, QueueFull, RetryAnswer, UploadRefusal } from '../../contract/service.ts';
import { AppError } from '../../kernel/errors.ts';

/**
 * Says in one sentence why an upload was refused, and what of it is data for the client.
 *
 *     refuse({ kind: 'too_many_symbols', needed: 60, limit: 50 }).code   // 'too_many_symbols'
 */
export function refuse(answer: UploadRefusal): AppError {
  switch (answer.kind) {
    case 'rejected_rows': {
      const count = answer.problems.length;
      const message = `${count} ${count === 1 ? 'problem has' : 'problems have'} to be mended first. Nothing was saved.`;
      return new AppError('invalid_rows', message, {
        details: { errors: answer.problems, warnings: answer.warnings },
      });
    }
    case 'invalid_symbols':
      return new AppError(
        'invalid_symbols',
        `Invalid symbols: ${listSymbols(answer.symbols)}. Nothing was saved.`,
        { details: { symbols: answer.symbols } },
      );
    case 'unverifiable':
      return new AppError(
        'symbols_unverifiable',
        `The market-data provider gives no verdict now on ${listSymbols(answer.symbols)}. Nothing was saved.`,
        { details: { symbols: answer.symbols, retry_after_seconds: answer.retry_after_seconds } },
      );
    case 'queue_full':
      return queueFull(answer);
    case 'too_many_symbols':
      return new AppError(
        'too_many_symbols',
        `${newSymbols(answer.needed)} onboarding and the queue never holds more than ${answer.limit}. Nothing was saved.`,
        { details: { needed: answer.needed, limit: answer.limit } },
      );
  }
}

function queueFull({ kind: _, ...details }: QueueFull): AppError {
  const { needed, depth, limit } = details;
  const free = Math.max(0, limit - depth);
  const room = `the queue has room for ${free} (${depth} of ${limit} in use)`;
  return new AppError('queue_full', `${newSymbols(needed)} onboarding and ${room}. Nothing was saved.`, {
    details,
  });
}

const newSymbols = (count: number) => (count === 1 ? '1 new symbol needs' : `${count} new symbols need`);

/** Why an operator's retry was refused. */
export function refuseRetry(
  answer: Exclude<RetryAnswer, { kind: 'retried' } | { kind: 'not_found' }>,
): AppError {
  switch (answer.kind) {
    case 'not_retryable':
      return new AppError(
        'not_retryable',
        `Expected a failed or partial job, got one that is ${answer.status}.`,
      );
    case 'symbol_busy':
      return new AppError('symbol_busy', `The symbol is being onboarded by job ${answer.job_id}.`, {
        details: { job_id: answer.job_id },
      });
    case 'queue_full': {
      const { kind: _, ...details } = answer;
      const message = `The queue is full: ${details.depth} of ${details.limit} in use. The job stays as it was.`;
      return new AppError('queue_full', message, { details });
    }
  }
}

/** Why an operator's cancellation was refused. */
export function refuseCancel(
  answer: Extract<CancelAnswer, { kind: 'too_late' } | { kind: 'not_cancellable' }>,
): AppError {
  if (answer.kind === 'too_late') {
    return new AppError('too_late_to_cancel', 'The symbol has entered the universe: the job will end soon.');
  }
  return new AppError('not_cancellable', `Expected an unfinished job, got one that is ${answer.status}.`);
}

const listedMax = 20; // the sentence stays readable; `symbols` has them all

function listSymbols(symbols: readonly { symbol: string }[]): string {
  const named = symbols.slice(0, listedMax).map(({ symbol }) => symbol);
  const more = symbols.length - named.length;
  return more > 0 ? `${named.join(', ')} and ${more} more` : named.join(', ');
}
