/** `symbol-onboarding/client`: the typed client, for Node and browsers. */
export * from './client-errors.ts';
export type { FeedOptions, Frame } from './feed.client.ts';
export type { ClientOptions } from './http.client.ts';
export * from './onboarding.client.ts';
export type { PortfolioState, WatchedJob } from './portfolio.watch.client.ts';
