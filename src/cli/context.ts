import type { Answer, Output } from './output.terminal.ts';
import type { ServiceClient } from './service.client.ts';

/** The options of every command. */
export interface GlobalOptions {
  url: string;
  token?: string;
  tokenFile?: string;
  json?: boolean;
  /** Seconds. */
  timeout: number;
}

/** What every command gets. */
export interface Context {
  client: ServiceClient;
  output: Output;
}

export type { Answer };
