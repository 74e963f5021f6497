import { z } from 'zod';

/** The phases of a job, in the order in which they run. */
export const phases = ['fetch', 'factors', 'universe', 'snapshot', 'cache'] as const;
export type Phase = (typeof phases)[number];

export const jobStatuses = ['pending', 'processing', 'completed', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof jobStatuses)[number];

/** Admitted and not finished: such a job counts into the depth, and its symbol has no other. */
export function isUnfinished(status: JobStatus): status is 'pending' | 'processing' {
  return status === 'pending' || status === 'processing';
}

/** Why a job exists: an upload needed the symbol, somebody asked for it, or its prices had grown old. */
export const jobReasons = ['upload', 'manual', 'refresh'] as const;
export type JobReason = (typeof jobReasons)[number];

/** The version of the job machine that wrote a job row. Raise it when a stored row must be read differently. */
export const machineVersion = 1;

/** What a job may use up. Milliseconds where the name says so. */
export const jobLimitsSchema = z.object({
  /** Retries after the first attempt of a phase. */
  retryLimit: z.int().min(0).default(3),
  retryBaseMs: z.int().min(1).default(1000),
  retryMaxMs: z.int().min(1).default(30_000),
  /** All the waiting of one job because a provider said "wait until". */
  retryWaitMaxMs: z.int().min(0).default(900_000),
  /** Takeovers in a row without a completed phase. */
  resumeLimit: z.int().min(0).default(5),
});
export type JobLimits = z.infer<typeof jobLimitsSchema>;

/** What a node may hold at once. */
export const supervisorLimitsSchema = z.object({
  /** Jobs admitted and unfinished, over the whole cluster. */
  depth: z.int().min(1).default(50),
  /** Permits of this node: children whose phase may run at once. */
  concurrency: z.int().min(1).default(3),
  /** Jobs claimed ahead of a free permit. */
  prefetch: z.int().min(0).default(0),
  /** Permits of the cluster: children of all nodes whose phase may run at once. Null where nothing bounds them. */
  clusterConcurrency: z.int().min(1).nullable().default(null),
});
export type SupervisorLimits = z.infer<typeof supervisorLimitsSchema>;

/** XState copies the children map at every spawn and stop, so a node never holds more than this many. */
export const childrenMax = 200;

/** References that a phase leaves for the phases after it (row keys, dates, counts), never the data itself. */
export type PhaseResults = Record<string, string | number | boolean | null>;

/** Where a job stands, as its row tells it. A child is spawned with this and enters its statechart there. */
export interface JobProgress {
  status: 'pending' | 'processing';
  phase: Phase;
  /** The attempt of the phase that runs now or runs next, from 1. */
  attempt: number;
  /** Epoch milliseconds until which the job backs off, or null. */
  retryAt: number | null;
  waitedMs: number;
  /** True once factors fell back to defaults. */
  partial: boolean;
  /** Why factors store defaults instead of measuring, once their attempts are spent. */
  degraded: string | null;
  results: PhaseResults;
  /** Takeovers in a row without a completed phase. */
  resumes: number;
}

/** The lease by which this node, and only this one, runs a job. `epoch` fences off whoever held it before. */
export interface Claim {
  jobId: string;
  symbol: string;
  reason: JobReason;
  epoch: number;
}

export interface JobInput {
  claim: Claim;
  progress: JobProgress;
  limits: JobLimits;
}

/** What a phase actor is told. */
export interface PhaseInput {
  claim: Claim;
  phase: Phase;
  attempt: number;
  results: PhaseResults;
  /** Only for `factors`: store defaults with this reason, measure nothing. */
  degraded: string | null;
}

/** What a phase actor answers. `results` are merged into the job's. */
export interface PhaseOutput {
  results: PhaseResults;
  /** Only from `factors`: at least one exposure is a default. */
  partial?: boolean;
}

/**
 * Why a phase did not succeed, as the machine reads it.
 *
 * `retryable: false` is permanent. `retryAt` means "nothing was tried, wait until then" and uses up no attempt.
 * The world puts in the time and the randomness, so that the machine needs neither: `at` is when it failed
 * (epoch milliseconds), `jitter` is uniform in [0, 1).
 */
export const phaseFailureSchema = z.object({
  code: z.string(),
  message: z.string(),
  retryable: z.boolean(),
  retryAt: z.number().optional(),
  at: z.number(),
  jitter: z.number().min(0).lt(1),
});
export type PhaseFailure = z.infer<typeof phaseFailureSchema>;

/** An error as a job row, a journal row and the API show it: in plain words, without internals. */
export interface JobError {
  code: string;
  message: string;
  phase: Phase | null;
}

/** To a job. */
export type JobEvent = { type: 'permit.granted' } | { type: 'job.cancel' } | { type: 'job.retry' };

/**
 * The child that is meant. `jobId` and `epoch`, where given, must be those of the claim it was spawned with: a
 * late message about a symbol's last job then never reaches its next one. Give them wherever they are known.
 */
export interface ChildAddress {
  symbol: string;
  jobId?: string;
  epoch?: number;
}

/** To the supervisor: from its children, the recorder, the claims actor, the ceiling actor, the operator. */
export type SupervisorEvent =
  | { type: 'claim.taken'; claim: Claim; progress: JobProgress; limits: JobLimits }
  | ({ type: 'claim.lost' } & ChildAddress)
  | ({ type: 'permit.requested' } & ChildAddress)
  | ({ type: 'permit.released' } & ChildAddress)
  | ({ type: 'ceiling.granted' } & ChildAddress)
  | ({ type: 'job.ended' } & ChildAddress)
  | ({ type: 'job.settled' } & ChildAddress)
  | ({ type: 'job.cancel' } & ChildAddress)
  | { type: 'pause' }
  | { type: 'resume' }
  | { type: 'drain'; graceMs: number };

/**
 * To the claims actor that the supervisor invokes: how many more jobs this node may claim now and whether it is running
 * low of those that it holds ahead; and a claim that it took beyond that and must give back, because no child was
 * spawned for it.
 */
export type ClaimsEvent =
  | { type: 'room.changed'; room: number; low: boolean }
  | { type: 'claim.refused'; claim: Claim };

/** The claims for whose children a cluster permit is needed: those that run under one, and those that ask for one. */
export interface Needs {
  held: readonly Claim[];
  wanted: readonly Claim[];
}

/** To the ceiling actor: everything that is needed now. A permit that nobody needs any more goes back. */
export type CeilingEvent = { type: 'ceiling.needed' } & Needs;
