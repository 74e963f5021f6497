import type { DryRunView } from '../../contract/schemas.ts';
import type { DryRunAnswer } from '../../contract/service.ts';
import { refuse } from '../problems/refusals.ts';

/**
 * The body of a dry run: how the service would respond to the upload.
 *
 * Throws `symbols_unverifiable` because without the provider's verdict the outcome is unknown.
 */
export function dryRunView(answer: DryRunAnswer): DryRunView {
  if (answer.kind === 'accepted') {
    const { kind: _, ...accepted } = answer;
    return { would: accepted.pending_symbols.length > 0 ? 'pending' : 'ready', ...accepted };
  }
  const problem = refuse(answer);
  const detail = problem.message;
  switch (answer.kind) {
    case 'rejected_rows': {
      const { problems: errors, warnings } = answer;
      return { would: 'rejected', code: 'invalid_rows', detail, errors, warnings };
    }
    case 'invalid_symbols':
      return { would: 'rejected', code: 'invalid_symbols', detail, symbols: answer.symbols };
    case 'too_many_symbols': {
      const { needed, limit } = answer;
      return { would: 'rejected', code: 'too_many_symbols', detail, needed, limit };
    }
    case 'queue_full': {
      const { kind: would, ...rest } = answer;
      return { would, detail, ...rest };
    }
    case 'unverifiable':
      throw problem;
  }
}
