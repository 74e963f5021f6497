import type { UploadAnswer } from '../contract/service.ts';
import type { Verdict } from '../market/provider.ts';

const retryAfterOutageSeconds = 30; // longer than a short failure, short enough for a user to wait

/**
 * The refusal because of verdicts, or null: symbols that do not exist first, then symbols that cannot be verified now.
 * With `unverifiable: 'defer'` the latter are accepted and verified by their jobs.
 */
export function refusalOf(
  verdicts: readonly Verdict[],
  { now, unverifiable }: { now: number; unverifiable: 'reject' | 'defer' },
): Extract<UploadAnswer, { kind: 'invalid_symbols' } | { kind: 'unverifiable' }> | null {
  const of = (kind: Verdict['verdict']) =>
    verdicts.flatMap((verdict) =>
      verdict.verdict === kind && 'reason' in verdict
        ? [{ symbol: verdict.symbol, reason: verdict.reason }]
        : [],
    );
  const invalid = of('invalid');
  if (invalid.length > 0) return { kind: 'invalid_symbols', symbols: invalid };
  const symbols = of('unverifiable');
  if (symbols.length === 0 || unverifiable === 'defer') return null;
  const until = verdicts.map((verdict) => (verdict.verdict === 'unverifiable' ? (verdict.retryAt ?? 0) : 0));
  const seconds = Math.max(retryAfterOutageSeconds, Math.ceil((Math.max(...until) - now) / 1000));
  return { kind: 'unverifiable', symbols, retry_after_seconds: seconds };
}
