import { AsyncLocalStorage } from 'node:async_hooks';
import type { Attribution } from './kernel/batching.ts';
import { type ObserveProvider, unobserved } from './market/provider-calls.ts';
import { isWrite, type JobTrace } from './onboarding/job/transition-trace.ts';

const running = new AsyncLocalStorage<JobTrace>();

/** Runs a phase so that what it asks of providers and writes to the database is found in its job's timeline. */
export function traced<T>(trace: JobTrace, run: () => Promise<T>): Promise<T> {
  return running.run(trace, run);
}

/** What phases of several jobs do together is noted for each of them. */
export const attribution: Attribution = {
  current: () => running.getStore(),
  onBehalfOf(parts, work) {
    const traces = parts.filter((part) => part !== undefined) as JobTrace[];
    const all: JobTrace = {
      tell: (event) => traces.forEach((trace) => void trace.tell(event)),
      wrote: () => traces.forEach((trace) => void trace.wrote()),
      take: () => ({}),
    };
    return running.run(all, work);
  },
};

/** Where providers report to: the job that asks now, if one does. */
export const observeProvider: ObserveProvider = () => running.getStore()?.tell ?? unobserved();

/** Called by the database for each statement that has been run. */
export function countWrite(statement: string): void {
  const trace = running.getStore();
  if (trace && isWrite(statement)) trace.wrote();
}
