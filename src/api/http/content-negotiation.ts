/**
 * Whether an `Accept` header allows one of `offered`, media types without parameters.
 *
 * The most specific range that matches a type decides (RFC 9110, 12.5.1), and `q=0` refuses it.
 *
 *     accepts('text/html, application/*;q=0.5', ['application/json'])   // true
 */
export function accepts(header: string | undefined, offered: readonly string[]): boolean {
  return preferred(header, offered) !== null;
}

/** The type of `offered` that an `Accept` header prefers, the first of equal ones; null if it allows none. */
export function preferred(header: string | undefined, offered: readonly string[]): string | null {
  if (header === undefined || header.trim() === '') return offered[0] ?? null;
  const ranges = header.split(',').map(parseRange);
  let best: { type: string; weight: number } | null = null;
  for (const type of offered) {
    const matching = [type, `${type.split('/')[0]}/*`, '*/*']
      .map((pattern) => ranges.find((range) => range.pattern === pattern))
      .find((range) => range !== undefined);
    const weight = matching?.weight ?? 0;
    if (weight > (best?.weight ?? 0)) best = { type, weight };
  }
  return best?.type ?? null;
}

function parseRange(text: string): { pattern: string; weight: number } {
  const [pattern = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  return { pattern, weight: weight === undefined ? 1 : Number(weight) };
}

/** The charset of a `Content-Type` in lower case; null if it has none. */
export function charsetOf(contentType: string | undefined): string | null {
  const match = /;\s*charset\s*=\s*"?([^";\s]+)"?/i.exec(contentType ?? '');
  return match?.[1]?.toLowerCase() ?? null;
}

// ASCII is a subset of UTF-8, so its bytes need no conversion.
const readableCharsets: ReadonlySet<string> = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii']);

export function isReadableCharset(charset: string | null): boolean {
  return charset === null || readableCharsets.has(charset);
}

/** A route as the router knows it: `/portfolios/:id`. */
export interface KnownRoute {
  url: string;
  methods: readonly string[];
}

/** The methods of all routes at this path, ascending; empty if the path is unknown. */
export function allowedMethods(routes: readonly KnownRoute[], path: string): string[] {
  const segments = path.split('/');
  const matching = routes.filter((route) => {
    const pattern = route.url.split('/');
    // A trailing star stands for a whole folder. A star alone is the route for CORS preflights, not a path.
    const isFolder = pattern.length > 1 && pattern.at(-1) === '*';
    if (isFolder && segments.length >= pattern.length)
      pattern.splice(-1, 1, ...segments.slice(pattern.length - 1));
    return (
      pattern.length === segments.length &&
      pattern.every((part, at) => (part.startsWith(':') ? segments[at] !== '' : part === segments[at]))
    );
  });
  return [...new Set(matching.flatMap((route) => route.methods))].sort();
}
