import type { ProblemCode } from '../problems/problem-catalog.ts';
import type { ApiDescription, DescribedRoute } from './openapi.ts';

const tags = [
  { name: 'portfolios', description: 'What goes in as a file, and what became of it.' },
  { name: 'symbols', description: 'What is known of a symbol, and whether the analytics can use it yet.' },
  { name: 'onboarding', description: 'The queue, its jobs, and the live feed of their transitions.' },
  { name: 'operations', description: 'For operators: retry, cancel, pause, resume.' },
  {
    name: 'access',
    description: 'Tickets for browsers, which cannot send a token with a WebSocket or an event stream.',
  },
  { name: 'health', description: 'For orchestrators and monitoring.' },
  { name: 'reference', description: 'This description, and every error with its cure.' },
];

const introduction = `
Upload a portfolio; each symbol of it that is new is onboarded in the background: a year of daily prices, twelve
factor exposures, the portfolio's totals. Watch the jobs, or wait for their end.

- JSON in \`snake_case\`; ids are UUIDv7; times are ISO 8601 in UTC, days \`YYYY-MM-DD\`.
- Money, quantities and exact ratios are decimal strings; returns and betas are numbers.
- Errors are \`application/problem+json\` (RFC 9457). \`code\` is stable; \`type\` leads to what it means and how to
  mend it. A method that a path does not take is answered 405 with \`Allow\`, an unknown path 404.
- Lists page by \`limit\` and \`cursor\`: send \`next_cursor\` of the page before until it is null.
- Answers may gain fields: ignore those that you do not know.
`.trim();

/** All of the document that no route decides. */
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
    servers: [{ url: '/', description: 'Where this document came from.' }],
    tags,
    ...(needsToken ? { security: [{ bearer: [] }] } : { security: [] }),
    components: needsToken ? { securitySchemes } : {},
  };
}

const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'A token whose SHA-256 is in `AUTH_TOKENS`.' },
};

/** Who may ask: nobody has to say who they are at public routes, and some are for operators only. */
export function securityOf(
  route: DescribedRoute,
  problems: readonly ProblemCode[],
  { protected: needsToken }: ApiDescription,
): object {
  const roles = problems.includes('operators_only') ? { 'x-roles': ['operator'] } : {};
  return needsToken && route.config.public ? { ...roles, security: [] } : roles;
}
