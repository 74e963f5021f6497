import type { CancelAnswer, QueueFull, RetryAnswer, UploadRefusal } from '../../contract/service.ts';
import { AppError } from '../../kernel/errors.ts';

/**
 * The problem response to a refused upload: why it was refused, and the data for the client.
 *
 *     refuse({ kind: 'too_many_symbols', needed: 60, limit: 50 }).code   // 'too_many_symbols'
 */
export function refuse(answer: UploadRefusal): AppError {
  switch (answer.kind) {
    case 'rejected_rows': {
      const count = answer.problems.length;
      const message = `Found ${count} ${count === 1 ? 'problem' : 'problems'} in the rows. Nothing was saved.`;
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
        `The market-data provider cannot verify ${listSymbols(answer.symbols)} now. Nothing was saved.`,
        { details: { symbols: answer.symbols, retry_after_seconds: answer.retry_after_seconds } },
      );
    case 'queue_full':
      return queueFull(answer);
    case 'too_many_symbols':
      return new AppError(
        'too_many_symbols',
        `${newSymbols(answer.needed)} onboarding, but the queue holds at most ${answer.limit}. Nothing was saved.`,
        { details: { needed: answer.needed, limit: answer.limit } },
      );
  }
}

function queueFull({ kind: _, ...details }: QueueFull): AppError {
  const { needed, depth, limit } = details;
  const free = Math.max(0, limit - depth);
  const room = `the queue has room for ${free} (${depth} of ${limit} in use)`;
  return new AppError('queue_full', `${newSymbols(needed)} onboarding, but ${room}. Nothing was saved.`, {
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
        `The job is ${answer.status}. Only failed and partial jobs can be retried.`,
      );
    case 'symbol_busy':
      return new AppError('symbol_busy', `Job ${answer.job_id} is already onboarding this symbol.`, {
        details: { job_id: answer.job_id },
      });
    case 'queue_full': {
      const { kind: _, ...details } = answer;
      const message = `The queue is full: ${details.depth} of ${details.limit} in use. The job was not changed.`;
      return new AppError('queue_full', message, { details });
    }
  }
}

/** Why an operator's cancellation was refused. */
export function refuseCancel(
  answer: Extract<CancelAnswer, { kind: 'too_late' } | { kind: 'not_cancellable' }>,
): AppError {
  if (answer.kind === 'too_late') {
    return new AppError(
      'too_late_to_cancel',
      'The symbol is already in the universe. The job will complete soon.',
    );
  }
  return new AppError(
    'not_cancellable',
    `The job is ${answer.status}. Only pending and processing jobs can be cancelled.`,
  );
}

const listedMax = 20; // keeps the sentence readable; `symbols` has all of them

function listSymbols(symbols: readonly { symbol: string }[]): string {
  const named = symbols.slice(0, listedMax).map(({ symbol }) => symbol);
  const more = symbols.length - named.length;
  return more > 0 ? `${named.join(', ')} and ${more} more` : named.join(', ');
}
