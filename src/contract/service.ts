import type { z } from 'zod';
import type { Feed } from './feed.ts';
import type {
  ActorsQuery,
  ActorsView,
  ActorView,
  DiagnosisView,
  exposuresSchema,
  HealthCheck,
  invalidSymbolSchema,
  JobDetailView,
  JobsQuery,
  JobView,
  jobsViewSchema,
  OverviewView,
  PortfoliosQuery,
  PortfolioView,
  PositionInput,
  portfolioExposuresSchema,
  portfoliosViewSchema,
  positionsSchema,
  pricesSchema,
  Remark,
  SnapshotView,
  SymbolStatusView,
  SymbolsQuery,
  SymbolView,
  snapshotsSchema,
  symbolsViewSchema,
  TicketView,
  TimelineQuery,
  TimelineView,
} from './schemas.ts';

/** The authenticated client. Without tokens there is one local user, who is also the operator. */
export interface Viewer {
  name: string;
  role: 'user' | 'operator';
}
export const localViewer: Viewer = { name: 'local', role: 'operator' };

export interface UploadInput {
  owner: string;
  name: string;
  baseCurrency: string;
  /** Accept rows that are equal in all columns. */
  allowDuplicates: boolean;
  source: { kind: 'csv'; bytes: Uint8Array } | { kind: 'json'; positions: PositionInput[] };
}

type InvalidSymbol = z.infer<typeof invalidSymbolSchema>;

export interface CreatedPortfolio {
  kind: 'created';
  portfolio_id: string;
  status: 'ready' | 'pending';
  /** Symbols with an unfinished job, ascending; empty when `ready`. */
  pending_symbols: string[];
  warnings: Remark[];
}

/** The earlier response to the same request. The portfolio may have been deleted since. */
export interface ReplayedUpload {
  kind: 'replayed';
  created: CreatedPortfolio;
}

/** A refusal is a value, not an exception, and saves nothing. */
export type UploadAnswer =
  | CreatedPortfolio
  | { kind: 'rejected_rows'; problems: Remark[]; warnings: Remark[] }
  | { kind: 'invalid_symbols'; symbols: InvalidSymbol[] }
  | { kind: 'unverifiable'; symbols: InvalidSymbol[]; retry_after_seconds: number }
  | QueueFull
  | { kind: 'too_many_symbols'; needed: number; limit: number };
export type UploadRefusal = Exclude<UploadAnswer, { kind: 'created' }>;

/** The outcome that an upload would have. */
export type DryRunAnswer =
  | {
      kind: 'accepted';
      lot_count: number;
      pending_symbols: string[];
      warnings: Remark[];
      /** Its first snapshot; null without priced lots. */
      snapshot: SnapshotView | null;
    }
  | UploadRefusal;

/** The result of a request to onboard one symbol. */
export type OnboardAnswer =
  | { kind: 'ready'; view: SymbolStatusView }
  /** By a new job, or by its existing unfinished job. */
  | { kind: 'admitted'; view: SymbolStatusView; job_id: string }
  | Extract<
      UploadAnswer,
      | { kind: 'invalid_symbols' }
      | { kind: 'unverifiable' }
      | { kind: 'queue_full' }
      | { kind: 'too_many_symbols' }
    >;

type Positions = z.infer<typeof positionsSchema>;
type Snapshots = z.infer<typeof snapshotsSchema>;

/** Null: the portfolio does not exist, or belongs to another owner. Clients must not see the difference. */
export interface Portfolios {
  /** Throws `idempotency_key_reused` and `idempotency_in_flight`. Without a key every upload is a new one. */
  upload(input: UploadInput, options: { key: string | undefined }): Promise<UploadAnswer | ReplayedUpload>;
  /** The outcome that `upload` would have now. Reads only. */
  dryRun(input: UploadInput): Promise<DryRunAnswer>;
  /** Those of the viewer, for operators all; newest first, older than `cursor`; `next_cursor` is the last id. */
  list(query: PortfoliosQuery, viewer: Viewer): Promise<z.infer<typeof portfoliosViewSchema>>;
  /** False: the portfolio does not exist, or belongs to another owner. */
  remove(id: string, viewer: Viewer): Promise<boolean>;
  find(id: string, viewer: Viewer): Promise<PortfolioView | null>;
  /** Lots after line `cursor`, at most `limit`; `next_cursor` is the last line, as a string. */
  positions(
    id: string,
    page: { limit: number; cursor?: number | undefined },
    viewer: Viewer,
  ): Promise<Positions | null>;
  /** Per factor, for the lots that are priced now. */
  exposures(id: string, viewer: Viewer): Promise<z.infer<typeof portfolioExposuresSchema> | null>;
  /** Snapshots older than the day `cursor`, latest first; `next_cursor` is the last day. */
  snapshots(
    id: string,
    page: { limit: number; cursor?: string | undefined },
    viewer: Viewer,
  ): Promise<Snapshots | null>;
}

/** Takes symbols as the client wrote them and normalises them. Null: not in the universe. */
export interface Symbols {
  /** Never null: the status is `unknown` for unknown and malformed symbols. */
  status(symbol: string): Promise<SymbolStatusView>;
  /** The cached status of a ready symbol; undefined on a cache miss. */
  remembered(symbol: string): SymbolStatusView | undefined;
  /** The same for many, in the order of the input; a symbol written in several ways occurs once. */
  statuses(symbols: readonly string[]): Promise<SymbolStatusView[]>;
  /** Ascending by symbol, after the symbol `cursor`; `next_cursor` is the last one. */
  search(query: SymbolsQuery): Promise<z.infer<typeof symbolsViewSchema>>;
  onboard(symbol: string, viewer: Viewer): Promise<OnboardAnswer>;
  profile(symbol: string): Promise<SymbolView | null>;
  prices(
    symbol: string,
    range: { from?: string | undefined; to?: string | undefined },
  ): Promise<z.infer<typeof pricesSchema> | null>;
  exposures(
    symbol: string,
    query: { date?: string | undefined },
  ): Promise<z.infer<typeof exposuresSchema> | null>;
}

export interface QueueFull {
  kind: 'queue_full';
  depth: number;
  limit: number;
  needed: number;
  retry_after_seconds: number;
}

/** The result of an operator's retry. A refusal does not change the job. */
export type RetryAnswer =
  | { kind: 'retried'; job: JobDetailView }
  | { kind: 'not_found' }
  | { kind: 'not_retryable'; status: JobView['status'] }
  /** The unfinished job of the symbol, which does the same work. */
  | { kind: 'symbol_busy'; job_id: string }
  | QueueFull;

export type CancelAnswer =
  | { kind: 'cancelled'; symbol: string }
  | { kind: 'requested'; symbol: string }
  | { kind: 'not_found' }
  | { kind: 'too_late' }
  | { kind: 'not_cancellable'; status: JobView['status'] };

/** Commands of operators. The routes check the role. */
export interface Operations {
  retry(id: string): Promise<RetryAnswer>;
  cancel(id: string): Promise<CancelAnswer>;
  /** Cluster-wide and persistent; returns the overview after it. */
  setPaused(paused: boolean): Promise<OverviewView>;
}

export interface Onboarding {
  overview(): Promise<OverviewView>;
  /**
   * Newest first (by id, descending), older than the job `cursor`; `next_cursor` is the last id. Null if the portfolio
   * of the query does not exist or belongs to another owner.
   */
  jobs(query: JobsQuery, viewer: Viewer): Promise<z.infer<typeof jobsViewSchema> | null>;
  job(id: string, viewer: Viewer): Promise<JobDetailView | null>;
}

/** Present and past states of actors. The routes check the role. */
export interface Actors {
  list(query: ActorsQuery): Promise<ActorsView>;
  /** `supervisor`, or the id of a job. Null: no such job. */
  find(id: string): Promise<ActorView | null>;
  /** The state of a job after that transition. Null: the journal has no such transition. */
  findAt(jobId: string, sequence: number): Promise<ActorView | null>;
  /** Ascending by sequence, after `cursor`; null: no such job. */
  timeline(jobId: string, page: TimelineQuery): Promise<TimelineView | null>;
}

/** The live actors of this node, in the protocol of the Stately inspector. */
export interface Inspection {
  /**
   * Calls `send` with every message from now on: first the registrations of all live actors, parents first. Returns how
   * to stop; `send` is not called after that.
   */
  watch(send: (message: string) => void): Promise<() => void>;
}

/** Runs all checks. Never throws: a check that throws is a failed finding. */
export type Diagnosis = () => Promise<DiagnosisView>;

/** Metrics for Prometheus. */
export interface Measurements {
  answered(answer: { method: string; route: string; status: number; seconds: number }): void;
  /** The text of a scrape. Does not throw if the database is unavailable: the text says so. */
  read(live: { heldRequests: number; websocketClients: number }): Promise<string>;
  readonly contentType: string;
}

export interface Health {
  /** Ready if every check is `ok`. Never throws: a check that throws is a failed one. */
  ready(): Promise<HealthCheck[]>;
}

/** One-time tickets for a viewer, valid for seconds on any node. */
export interface Tickets {
  issue(viewer: Viewer): Promise<TicketView>;
  /** Uses the ticket up. Null: unknown, used or expired. */
  redeem(ticket: string): Promise<Viewer | null>;
}

/**
 * What the HTTP routes need from the rest of the service.
 *
 * Views are the response bodies without the `links`, which the routes add. Failures of the world are thrown as
 * `AppError`s; `api/problems` maps them to HTTP.
 */
export interface Service {
  portfolios: Portfolios;
  symbols: Symbols;
  onboarding: Onboarding;
  actors: Actors;
  /** Null if the inspector is off. */
  inspection: Inspection | null;
  operations: Operations;
  feed: Feed;
  health: Health;
  measurements: Measurements;
  diagnosis: Diagnosis;
  tickets: Tickets;
}
