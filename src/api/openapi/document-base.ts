import type { DescribedRoute } from '../problems/described-route.ts';
import type { ProblemCode } from '../problems/problem-catalog.ts';
import type { ApiDescription } from './openapi.ts';

const tags = [
  { name: 'portfolios', description: 'Upload portfolios; their status, lots, totals and exposures.' },
  { name: 'symbols', description: 'Data of a symbol, and whether it is ready for analytics.' },
  { name: 'onboarding', description: 'The queue, its jobs, and the live feed of their transitions.' },
  { name: 'operations', description: 'For operators: retry, cancel, pause, resume, actors, diagnosis.' },
  {
    name: 'access',
    description: 'Tickets for browsers, which cannot send a token with a WebSocket or an event stream.',
  },
  { name: 'health', description: 'For orchestrators and monitoring.' },
  { name: 'reference', description: 'This document, and all errors with how to fix them.' },
];

const introduction = `
Upload a portfolio. Each new symbol in it is onboarded in the background: a year of daily prices, twelve factor
exposures, the totals of the portfolio. Watch the jobs, or wait until they end.

- JSON in \`snake_case\`; ids are UUIDv7; times are ISO 8601 in UTC, days \`YYYY-MM-DD\`.
- Money, quantities and exact ratios are decimal strings; returns and betas are numbers.
- Errors are \`application/problem+json\` (RFC 9457). \`code\` is stable; \`type\` links to its meaning and how to fix it.
  A method that a path does not support is 405 with \`Allow\`, an unknown path is 404.
- Lists page by \`limit\` and \`cursor\`: send \`next_cursor\` of the page before until it is null.
- Ignore unknown fields of responses: new ones may be added.
`.trim();

/** The parts of the document that do not depend on routes. */
export function documentBase({ version, protected: needsToken }: ApiDescription) {
  return {
    openapi: '3.1.1',
    info: {
      title: 'Symbol onboarding',
      version,
      summary: 'Onboards the new symbols of uploaded portfolios.',
      description: introduction,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'The server of this document.' }],
    tags,
    ...(needsToken ? { security: [{ bearer: [] }] } : { security: [] }),
    components: needsToken ? { securitySchemes } : {},
  };
}

const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'A token whose SHA-256 is in `AUTH_TOKENS`.' },
};

/** Public routes need no token; some routes are for operators only. */
export function securityOf(
  route: DescribedRoute,
  problems: readonly ProblemCode[],
  { protected: needsToken }: ApiDescription,
): object {
  const roles = problems.includes('operators_only') ? { 'x-roles': ['operator'] } : {};
  return needsToken && route.config.public ? { ...roles, security: [] } : roles;
}
