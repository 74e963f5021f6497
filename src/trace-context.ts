import { AsyncLocalStorage } from 'node:async_hooks';
import type { Attribution } from './kernel/batching.ts';
import { type ObserveProvider, unobserved } from './market/provider-calls.ts';
import { isWrite, type JobTrace } from './onboarding/job/transition-trace.ts';

const running = new AsyncLocalStorage<JobTrace>();

/** Runs a phase and records its provider requests and database writes in the job's timeline. */
export function traced<T>(trace: JobTrace, run: () => Promise<T>): Promise<T> {
  return running.run(trace, run);
}

/** Records the work of a batch in the timeline of every job that takes part. */
export const attribution: Attribution = {
  current: () => running.getStore(),
  onBehalfOf(callers, work) {
    const traces = callers.filter((caller) => caller !== undefined) as JobTrace[];
    const all: JobTrace = {
      record: (event) => traces.forEach((trace) => void trace.record(event)),
      countWrite: () => traces.forEach((trace) => void trace.countWrite()),
      take: () => ({}),
    };
    return running.run(all, work);
  },
};

/** Where providers report to: the job that asks now, if one does. */
export const observeProvider: ObserveProvider = () => running.getStore()?.record ?? unobserved();

/** Called by the database after each successful statement. */
export function countWrite(statement: string): void {
  const trace = running.getStore();
  if (trace && isWrite(statement)) trace.countWrite();
}
