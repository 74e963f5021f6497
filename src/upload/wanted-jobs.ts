import type { Wanted } from '../onboarding/job/ports.ts';
import type { Detection } from './detect-needs.ts';

/**
 * The jobs that lots want: their own, and those to join. Should a job that is joined end before the admission lock is
 * ours, what is priced already needs no new one.
 */
export function wantedBy({ needed, joining, unpriced }: Detection): Wanted[] {
  const inactive = new Set(unpriced);
  const reason = (symbol: string) => (inactive.has(symbol) ? ('upload' as const) : ('refresh' as const));
  return [...needed, ...joining.map(({ symbol }) => ({ symbol, reason: reason(symbol) }))];
}
