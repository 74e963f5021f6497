import { plainText } from '../../../machines/plain-text.ts';
import {
  type JobLimits,
  type JobProgress,
  type PhaseFailure,
  type PhaseOutput,
  phaseFailureSchema,
} from '../../../machines/protocol.ts';
import type { ProviderEvent, ProviderFallback, ProviderRequest } from '../../market/provider-calls.ts';

/**
 * What the machine was told at a transition, besides the event's name: enough to run the journal through the machine
 * once more. A claim tells where its child was spawned, a phase what it answered or why it failed.
 */
export interface TransitionInput {
  spawned?: { progress: JobProgress; limits: JobLimits };
  output?: PhaseOutput;
  failure?: PhaseFailure;
}

/** What is kept with a transition for the timeline and for replays: its input, and what was done while in `from`. */
export interface TransitionTrace extends TransitionInput {
  requests?: Omit<ProviderRequest, 'kind'>[];
  fallbacks?: Omit<ProviderFallback, 'kind'>[];
  /** Statements with which the phase wrote to the database, for this job alone or for several at once. */
  writes?: number;
  /** Requests and fallbacks that found no more room here. */
  omitted?: number;
}

/** Collects what the phases of a job do, until its next transition takes that along. */
export interface JobTrace {
  record(event: ProviderEvent): void;
  countWrite(): void;
  take(): Pick<TransitionTrace, 'requests' | 'fallbacks' | 'writes' | 'omitted'>;
}

const messageMax = 500; // as long as the verdict on a failure keeps it
const textMax = 401; // a public URL
const eventsMax = 50; // of one attempt: eight proxies, cookies and some renewals are about fifteen

export function jobTrace(): JobTrace {
  let requests: NonNullable<TransitionTrace['requests']> = [];
  let fallbacks: NonNullable<TransitionTrace['fallbacks']> = [];
  let writes = 0;
  let omitted = 0;
  return {
    record({ kind, ...event }) {
      if (requests.length + fallbacks.length >= eventsMax) omitted += 1;
      else if (kind === 'request') requests.push(plain(event as ProviderRequest));
      else fallbacks.push(plain(event as ProviderFallback));
    },
    countWrite() {
      writes += 1;
    },
    take() {
      const taken = {
        ...(requests.length > 0 && { requests }),
        ...(fallbacks.length > 0 && { fallbacks }),
        ...(writes > 0 && { writes }),
        ...(omitted > 0 && { omitted }),
      };
      requests = [];
      fallbacks = [];
      writes = 0;
      omitted = 0;
      return taken;
    },
  };
}

/** What an event told the machine. What is no failure as the machine knows them, it judges without reading it. */
export function inputOf(event: { type: string }): TransitionInput {
  if ('output' in event && event.output) return { output: event.output as PhaseOutput };
  if (!('error' in event)) return {};
  const failure = phaseFailureSchema.safeParse(event.error).data;
  // Clipped as the verdict clips it, so that a replay comes to the same.
  return failure ? { failure: plain(failure, messageMax) } : {};
}

/** Texts as the journal can keep them, whatever a provider put in. */
function plain<T extends object>(value: T, max = textMax): T {
  const entries = Object.entries(value).map(([name, one]) => [
    name,
    typeof one === 'string' ? plainText(one, max) : one,
  ]);
  return Object.fromEntries(entries) as T;
}

/** Null where there is nothing to keep: most rows of the journal. */
export function traceOf(trace: TransitionTrace): TransitionTrace | null {
  return Object.keys(trace).length > 0 ? trace : null;
}

const writing = /\b(?:insert\s+into|delete\s+from|(?<!\b(?:for|key)\s)update)\b/i;

/** Whether a statement changes rows; locking them (`for no key update`) does not. */
export function isWrite(statement: string): boolean {
  return writing.test(statement);
}
