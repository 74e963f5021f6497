import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { Chore } from './maintenance.ts';
import type { RetentionStore } from './onboarding/retention.store.ts';
import { pruneJournal } from './onboarding/retention.ts';

export interface ChoreParts {
  config: Pick<Config, 'retention'>;
  clock: Clock;
  retention: RetentionStore;
}

const minuteMs = 60_000;

/** What a node does now and then. Each chore sees to it that no two nodes do it at the same time. */
export function choresOf({ config, clock, retention }: ChoreParts): Chore[] {
  return [
    {
      everyMs: 10 * minuteMs,
      run: (signal) => pruneJournal(retention, { ...config.retention, clock, signal }),
    },
  ];
}
