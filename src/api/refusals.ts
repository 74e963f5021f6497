import { AppError } from '../errors.ts';
import type { UploadAnswer } from './service.ts';

type Refusal = Exclude<UploadAnswer, { kind: 'created' }>;

/**
 * Says in one sentence why an upload was refused, and what of it is data for the client.
 *
 *     refuse({ kind: 'too_many_symbols', needed: 60, limit: 50 }).code   // 'too_many_symbols'
 */
export function refuse(answer: Refusal): AppError {
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
        `Invalid symbols: ${nameThem(answer.symbols)}. Nothing was saved.`,
        { details: { symbols: answer.symbols } },
      );
    case 'unverifiable':
      return new AppError(
        'symbols_unverifiable',
        `The market-data provider gives no verdict now on ${nameThem(answer.symbols)}. Nothing was saved.`,
        { details: { symbols: answer.symbols, retry_after_seconds: answer.retry_after_seconds } },
      );
    case 'queue_full': {
      const { kind: _, ...details } = answer;
      const free = Math.max(0, answer.limit - answer.depth);
      return new AppError(
        'queue_full',
        `${answer.needed} new symbols need onboarding and the queue has room for ${free} ` +
          `(${answer.depth} of ${answer.limit} in use). Nothing was saved.`,
        { details },
      );
    }
    case 'too_many_symbols':
      return new AppError(
        'too_many_symbols',
        `${answer.needed} new symbols need onboarding and the queue never holds more than ${answer.limit}. Nothing was saved.`,
        { details: { needed: answer.needed, limit: answer.limit } },
      );
  }
}

const namedMax = 20; // the sentence stays readable; `symbols` has them all

function nameThem(symbols: readonly { symbol: string }[]): string {
  const named = symbols.slice(0, namedMax).map(({ symbol }) => symbol);
  const more = symbols.length - named.length;
  return more > 0 ? `${named.join(', ')} and ${more} more` : named.join(', ');
}
