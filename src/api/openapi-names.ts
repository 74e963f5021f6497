import type { z } from 'zod';
import * as schemas from './schemas.ts';

/**
 * The names under which the API document lists schemas, so that a client generator makes one type of each. What is
 * not named here is written out wherever it is used.
 */
const named: Record<string, z.ZodType> = {
  Problem: schemas.problemSchema,
  ProblemEntry: schemas.problemEntrySchema,
  ProblemEntries: schemas.problemEntriesSchema,
  Remark: schemas.remarkSchema,
  InvalidSymbol: schemas.invalidSymbolSchema,
  Links: schemas.linksSchema,
  ApiDocument: schemas.apiDocumentSchema,
  Index: schemas.indexSchema,
  Live: schemas.liveSchema,
  Ready: schemas.readySchema,
  HealthCheck: schemas.healthCheckSchema,
  Upload: schemas.portfolioInputSchema,
  UploadedPosition: schemas.positionInputSchema,
  Uploaded: schemas.uploadedSchema,
  Portfolio: schemas.portfolioSchema,
  PortfolioSymbol: schemas.portfolioSymbolSchema,
  Portfolios: schemas.portfoliosSchema,
  Snapshot: schemas.snapshotSchema,
  Snapshots: schemas.snapshotsSchema,
  Lot: schemas.lotSchema,
  Positions: schemas.positionsSchema,
  PortfolioExposures: schemas.portfolioExposuresSchema,
  SymbolStatus: schemas.symbolStatusSchema,
  SymbolStatuses: schemas.symbolStatusesSchema,
  Symbol: schemas.symbolSchema,
  Symbols: schemas.symbolsSchema,
  Bar: schemas.barSchema,
  Prices: schemas.pricesSchema,
  Exposure: schemas.exposureSchema,
  Exposures: schemas.exposuresSchema,
  Overview: schemas.overviewSchema,
  MarketData: schemas.marketDataSchema,
  Job: schemas.jobSchema,
  Jobs: schemas.jobsSchema,
  JobDetail: schemas.jobDetailSchema,
  JobError: schemas.jobErrorSchema,
  Transition: schemas.transitionSchema,
  ActorSnapshot: schemas.actorSnapshotSchema,
  Actor: schemas.actorSchema,
  Actors: schemas.actorsSchema,
  Timeline: schemas.timelineSchema,
  TimelineEntry: schemas.timelineEntrySchema,
  Ticket: schemas.ticketSchema,
  Cancellation: schemas.cancellationSchema,
  Diagnosis: schemas.diagnosisSchema,
  Finding: schemas.findingSchema,
};

const names = new Map(Object.entries(named).map(([name, schema]) => [schema, name]));

export const nameOfSchema = (schema: unknown): string | undefined => names.get(schema as z.ZodType);
