import type { z } from 'zod';

/** The part of a route's schema that the document is made of. */
export interface RouteSchema {
  operationId?: string;
  tags?: readonly string[];
  summary?: string;
  description?: string;
  params?: z.ZodType;
  querystring?: z.ZodType;
  headers?: z.ZodType;
  /** Media types of bodies that are read without a schema of their own. */
  consumes?: readonly string[];
  body?: z.ZodType | { content: Record<string, { schema: z.ZodType }> };
  response?: Record<string, unknown>;
}

export interface DescribedRoute {
  method: string | string[];
  url: string;
  schema: RouteSchema;
  config: {
    produces?: string[] | undefined;
    public?: boolean | undefined;
    fresh?: boolean | undefined;
    headers?: z.ZodObject | undefined;
  };
}
