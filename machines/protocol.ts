import { z } from 'zod';

/** The phases of a job, in the order in which they run. */
export const phases = ['fetch', 'factors', 'universe', 'snapshot', 'cache'] as const;
export type Phase = (typeof phases)[number];

export const jobStatuses = ['pending', 'processing', 'completed', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof jobStatuses)[number];

/** Admitted and not finished. These jobs count towards the depth, and a symbol has at most one of them. */
export function isUnfinished(status: JobStatus): status is 'pending' | 'processing' {
  return status === 'pending' || status === 'processing';
}

/** Why a job exists: an upload needed the symbol, a user requested it, or its prices were stale. */
export const jobReasons = ['upload', 'manual', 'refresh'] as const;
export type JobReason = (typeof jobReasons)[number];

/** The version of the job machine that wrote a job row. Raise it when a stored row must be read differently. */
export const machineVersion = 1;

/** The limits of a job. Names that end in `Ms` are milliseconds. */
export const jobLimitsSchema = z.object({
  /** Retries after the first attempt of a phase. */
  retryLimit: z.int().min(0).default(3),
  retryBaseMs: z.int().min(1).default(1000),
  retryMaxMs: z.int().min(1).default(30_000),
  /** Total time that one job may wait because providers said "wait until". */
  retryWaitMaxMs: z.int().min(0).default(900_000),
  /** Takeovers in a row without a completed phase. */
  resumeLimit: z.int().min(0).default(5),
});
export type JobLimits = z.infer<typeof jobLimitsSchema>;

/** The limits of a node and its cluster. */
export const supervisorLimitsSchema = z.object({
  /** Unfinished jobs over the whole cluster. */
  depth: z.int().min(1).default(50),
  /** Permits of this node: children whose phases may run at the same time. */
  concurrency: z.int().min(1).default(3),
  /** Jobs claimed ahead of a free permit. */
  prefetch: z.int().min(0).default(0),
  /** Permits of the cluster: children of all nodes whose phases may run at the same time. Null: no ceiling. */
  clusterConcurrency: z.int().min(1).nullable().default(null),
});
export type SupervisorLimits = z.infer<typeof supervisorLimitsSchema>;

/** Maximum children of a node. XState copies the children map at every spawn and stop, so it must stay small. */
export const childrenMax = 200;

/** References for later phases (row keys, dates, counts), never the data itself. */
export type PhaseResults = Record<string, string | number | boolean | null>;

/** The progress of a job as its row stores it. A child is spawned with it and enters its statechart at that point. */
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
  /** Why factors store defaults instead of measuring, after their attempts are used up; null before. */
  degraded: string | null;
  results: PhaseResults;
  /** Takeovers in a row without a completed phase. */
  resumes: number;
}

/** The lease under which exactly one node runs a job. `epoch` is the fencing token that shuts out earlier holders. */
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

/** The input of a phase actor. */
export interface PhaseInput {
  claim: Claim;
  phase: Phase;
  attempt: number;
  results: PhaseResults;
  /** Only for `factors`: store defaults with this reason, measure nothing. */
  degraded: string | null;
}

/** The output of a phase actor. `results` are merged into the job's results. */
export interface PhaseOutput {
  results: PhaseResults;
  /** Only from `factors`: at least one exposure is a default. */
  partial?: boolean;
}

/**
 * Why a phase failed, as the machine reads it.
 *
 * `retryable: false` is permanent. `retryAt` means "nothing was tried, wait until then" and uses up no attempt. Time and
 * randomness are part of the failure, so that the machine stays pure: `at` is the time of the failure (epoch
 * milliseconds), `jitter` is uniform in [0, 1).
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

/** An error as job rows, journal rows and the API show it: in plain words, without internals. */
export interface JobError {
  code: string;
  message: string;
  phase: Phase | null;
}

/** To a job. */
export type JobEvent = { type: 'permit.granted' } | { type: 'job.cancel' } | { type: 'job.retry' };

/**
 * The addressed child. `jobId` and `epoch`, if given, must match the claim it was spawned with, so that a late message
 * for an old job of a symbol never reaches its next job. Give them whenever they are known.
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
 * To the claims actor that the supervisor invokes. `room.changed`: how many more jobs this node may claim, and whether its
 * prefetched jobs run low (backpressure). `claim.refused`: a claim beyond that room; no child was spawned, so release it.
 */
export type ClaimsEvent =
  | { type: 'room.changed'; room: number; low: boolean }
  | { type: 'claim.refused'; claim: Claim };

/** The claims that need a cluster permit: `held` run under one, `wanted` request one. */
export interface Needs {
  held: readonly Claim[];
  wanted: readonly Claim[];
}

/** To the ceiling actor: all current needs. A permit that is no longer needed is released. */
export type CeilingEvent = { type: 'ceiling.needed' } & Needs;
