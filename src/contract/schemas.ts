/** Every input and output of the HTTP API and the live feed. JSON is snake_case; input objects are strict. */
export * from './schemas/actors.ts';
export * from './schemas/common.ts';
export * from './schemas/diagnosis.ts';
export * from './schemas/error-catalog.ts';
export * from './schemas/feed-frames.ts';
export * from './schemas/health.ts';
export * from './schemas/issue-messages.ts';
export * from './schemas/onboarding.ts';
export * from './schemas/portfolio-exposures.ts';
export * from './schemas/portfolios.ts';
export * from './schemas/symbols.ts';
export * from './schemas/tickets.ts';
export * from './schemas/uploads.ts';
