import type { Answer, Output } from './output.terminal.ts';
import type { ServiceClient } from './service.client.ts';

/** The options that every command takes. */
export interface GlobalOptions {
  url: string;
  token?: string;
  tokenFile?: string;
  json?: boolean;
  /** Seconds. */
  timeout: number;
}

/** What a command works with. */
export interface Context {
  client: ServiceClient;
  output: Output;
}

export type { Answer };
