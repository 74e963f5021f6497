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

/** Who asks. Without tokens there is one local user, who is also the operator. */
export interface Viewer {
  name: string;
  role: 'user' | 'operator';
}
export const localViewer: Viewer = { name: 'local', role: 'operator' };

export interface UploadInput {
  owner: string;
  name: string;
  baseCurrency: string;
  /** Two rows that are equal in all columns are meant. */
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

/** What the same request was answered before. The portfolio may have been deleted since. */
export interface ReplayedUpload {
  kind: 'replayed';
  created: CreatedPortfolio;
}

/** A refusal is an answer, not an exception, and leaves nothing behind. */
export type UploadAnswer =
  | CreatedPortfolio
  | { kind: 'rejected_rows'; problems: Remark[]; warnings: Remark[] }
  | { kind: 'invalid_symbols'; symbols: InvalidSymbol[] }
  | { kind: 'unverifiable'; symbols: InvalidSymbol[]; retry_after_seconds: number }
  | QueueFull
  | { kind: 'too_many_symbols'; needed: number; limit: number };
export type UploadRefusal = Exclude<UploadAnswer, { kind: 'created' }>;

/** What an upload would come to. */
export type DryRunAnswer =
  | {
      kind: 'accepted';
      lot_count: number;
      pending_symbols: string[];
      warnings: Remark[];
      /** The first snapshot that it would have; null where no lot is priced. */
      snapshot: SnapshotView | null;
    }
  | UploadRefusal;

/** What became of the wish to onboard one symbol. */
export type OnboardAnswer =
  | { kind: 'ready'; view: SymbolStatusView }
  /** By a new job, or by the unfinished one that it had. */
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

/** Null: no such portfolio, or not the viewer's. The two must not be told apart. */
export interface Portfolios {
  /** Throws `idempotency_key_reused` and `idempotency_in_flight`; without a key every upload is a new one. */
  upload(input: UploadInput, options: { key: string | undefined }): Promise<UploadAnswer | ReplayedUpload>;
  /** What `upload` would come to now. Reads only. */
  dryRun(input: UploadInput): Promise<DryRunAnswer>;
  /** The viewer's own, an operator's all; newest first, older than `cursor`; `next_cursor` is the last id given. */
  list(query: PortfoliosQuery, viewer: Viewer): Promise<z.infer<typeof portfoliosViewSchema>>;
  /** False: no such portfolio, or not the viewer's. */
  remove(id: string, viewer: Viewer): Promise<boolean>;
  find(id: string, viewer: Viewer): Promise<PortfolioView | null>;
  /** Lots after line `cursor`, at most `limit`; `next_cursor` is the last line given, as a string. */
  positions(
    id: string,
    page: { limit: number; cursor?: number | undefined },
    viewer: Viewer,
  ): Promise<Positions | null>;
  /** Per factor, of the lots that are priced now. */
  exposures(id: string, viewer: Viewer): Promise<z.infer<typeof portfolioExposuresSchema> | null>;
  /** Snapshots older than the day `cursor`, latest first; `next_cursor` is the last day given. */
  snapshots(
    id: string,
    page: { limit: number; cursor?: string | undefined },
    viewer: Viewer,
  ): Promise<Snapshots | null>;
}

/** Symbols come as the client wrote them; the service normalises. Null: not in the universe. */
export interface Symbols {
  /** Never null: `unknown` is an answer, also for what is not well-formed. */
  status(symbol: string): Promise<SymbolStatusView>;
  /** The status of a ready symbol as this node remembers it; undefined where it has to be read. */
  remembered(symbol: string): SymbolStatusView | undefined;
  /** The same for many, in the order asked; what is the same symbol, however written, comes once. */
  statuses(symbols: readonly string[]): Promise<SymbolStatusView[]>;
  /** Ascending by symbol, after the symbol `cursor`; `next_cursor` is the last one given. */
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

/** What an operator's retry came to. A refusal leaves the job as it was. */
export type RetryAnswer =
  | { kind: 'retried'; job: JobDetailView }
  | { kind: 'not_found' }
  | { kind: 'not_retryable'; status: JobView['status'] }
  /** The symbol's unfinished job, which will do. */
  | { kind: 'symbol_busy'; job_id: string }
  | QueueFull;

export type CancelAnswer =
  | { kind: 'cancelled'; symbol: string }
  | { kind: 'requested'; symbol: string }
  | { kind: 'not_found' }
  | { kind: 'too_late' }
  | { kind: 'not_cancellable'; status: JobView['status'] };

/** Who may do it, the routes decide. */
export interface Operations {
  retry(id: string): Promise<RetryAnswer>;
  cancel(id: string): Promise<CancelAnswer>;
  /** Cluster-wide and stored; answers the overview after it. */
  setPaused(paused: boolean): Promise<OverviewView>;
}

export interface Onboarding {
  overview(): Promise<OverviewView>;
  /**
   * Newest first (by id, descending), older than the job `cursor`; `next_cursor` is the last id given. Null where the
   * query names a portfolio that is not there, or not the viewer's.
   */
  jobs(query: JobsQuery, viewer: Viewer): Promise<z.infer<typeof jobsViewSchema> | null>;
  job(id: string, viewer: Viewer): Promise<JobDetailView | null>;
}

/** Actors as they are and were. Who may see them, the routes decide. */
export interface Actors {
  list(query: ActorsQuery): Promise<ActorsView>;
  /** `supervisor`, or the id of a job. Null: no such job. */
  find(id: string): Promise<ActorView | null>;
  /** A job as it was after that transition. Null: the journal has no such transition. */
  findAt(jobId: string, sequence: number): Promise<ActorView | null>;
  /** Ascending by sequence, after `cursor`; null: no such job. */
  timeline(jobId: string, page: TimelineQuery): Promise<TimelineView | null>;
}

/** The live actors of this node, in the protocol of the Stately inspector. */
export interface Inspection {
  /**
   * `send` gets every message from now on: first the registrations of all that lives, parents first. Answers how to
   * stop; nobody is told anything after that.
   */
  watch(send: (message: string) => void): Promise<() => void>;
}

/** Looks for what is wrong. Never throws: a check that cannot be made is a failed finding. */
export type Diagnosis = () => Promise<DiagnosisView>;

/** What is counted and timed, for Prometheus. */
export interface Measurements {
  answered(answer: { method: string; route: string; status: number; seconds: number }): void;
  /** The text of a scrape; it says so where the database does not answer, and never throws for that. */
  read(live: { heldRequests: number; websocketClients: number }): Promise<string>;
  readonly contentType: string;
}

export interface Health {
  /** Ready when every check is `ok`. Never throws: a check that cannot run is a failed one. */
  ready(): Promise<HealthCheck[]>;
}

/** Each stands for a viewer once, within seconds, on any node. */
export interface Tickets {
  issue(viewer: Viewer): Promise<TicketView>;
  /** Spends it. Null: unknown, spent or too old. */
  redeem(ticket: string): Promise<Viewer | null>;
}

/**
 * What the HTTP routes need of the rest of the service.
 *
 * Views are exactly the response bodies, less the `links` that the routes add. Failures of the world are thrown as
 * `AppError`s; `api/problems.ts` knows what they are over HTTP.
 */
export interface Service {
  portfolios: Portfolios;
  symbols: Symbols;
  onboarding: Onboarding;
  actors: Actors;
  /** Null: switched off. */
  inspection: Inspection | null;
  operations: Operations;
  feed: Feed;
  health: Health;
  measurements: Measurements;
  diagnosis: Diagnosis;
  tickets: Tickets;
}
