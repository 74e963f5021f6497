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
 * The input of the machine at a transition, besides the event's name: enough to replay the journal. A claim has the
 * progress with which its child was spawned; a phase has its output or its failure.
 */
export interface TransitionInput {
  spawned?: { progress: JobProgress; limits: JobLimits };
  output?: PhaseOutput;
  failure?: PhaseFailure;
}

/** Stored with a transition for timelines and replays: its input, and what the job did in the state `from`. */
export interface TransitionTrace extends TransitionInput {
  requests?: Omit<ProviderRequest, 'kind'>[];
  fallbacks?: Omit<ProviderFallback, 'kind'>[];
  /** Number of statements with which the phase wrote to the database, for this job alone or for several jobs at once. */
  writes?: number;
  /** Number of requests and fallbacks beyond the limit. */
  omitted?: number;
}

/** Collects what the phases of a job do. The next transition takes and stores it. */
export interface JobTrace {
  record(event: ProviderEvent): void;
  countWrite(): void;
  take(): Pick<TransitionTrace, 'requests' | 'fallbacks' | 'writes' | 'omitted'>;
}

const messageMax = 500; // same limit as in `verdictOn`
const textMax = 401; // a public URL
const eventsMax = 50; // per attempt; eight proxies, cookies and some renewals are about fifteen

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

/** The input in an event. An error that is no valid `PhaseFailure` is left out: the machine ignores its content. */
export function inputOf(event: { type: string }): TransitionInput {
  if ('output' in event && event.output) return { output: event.output as PhaseOutput };
  if (!('error' in event)) return {};
  const failure = phaseFailureSchema.safeParse(event.error).data;
  // Clipped as in `verdictOn`, so that a replay has the same result.
  return failure ? { failure: plain(failure, messageMax) } : {};
}

/** Cleans all texts, because a provider may send text that the journal cannot store. */
function plain<T extends object>(value: T, max = textMax): T {
  const entries = Object.entries(value).map(([name, one]) => [
    name,
    typeof one === 'string' ? plainText(one, max) : one,
  ]);
  return Object.fromEntries(entries) as T;
}

/** Null if there is nothing to store, as in most rows of the journal. */
export function traceOf(trace: TransitionTrace): TransitionTrace | null {
  return Object.keys(trace).length > 0 ? trace : null;
}

const writing = /\b(?:insert\s+into|delete\s+from|(?<!\b(?:for|key)\s)update)\b/i;

/** Whether a statement changes rows. Locking rows (`for no key update`) does not count. */
export function isWrite(statement: string): boolean {
  return writing.test(statement);
}
