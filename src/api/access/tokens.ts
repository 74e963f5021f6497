import { hash, timingSafeEqual } from 'node:crypto';
import type { Viewer } from '../../contract/service.ts';

/** One entry of `AUTH_TOKENS`: the viewer that a token identifies. The token itself is stored nowhere. */
export interface Token {
  viewer: Viewer;
  /** SHA-256 of the token, 32 bytes. */
  digest: Buffer;
}

const namePattern = /^[a-z0-9][a-z0-9._@-]{0,63}$/;
const digestPattern = /^[0-9a-f]{64}$/i;

/**
 * Reads entries `name:role:sha256`, separated by commas: tokens, or every problem in a sentence.
 *
 * A name may occur several times with one role, so that its token can be replaced while the old one still works.
 * A problem names an entry by its position, and by its name only if name and role are valid: nothing that could be a
 * secret is repeated.
 */
export function parseTokens(list: string): { tokens: Token[]; problems: string[] } {
  const problems: string[] = [];
  const roles = new Map<string, string>();
  const digests = new Set<string>([sha256('').toString('hex')]); // an empty token
  const tokens = list.split(',').flatMap((entry, index): Token[] => {
    const [name = '', role = '', hex = '', ...more] = entry.split(':').map((part) => part.trim());
    const digest = hex.toLowerCase();
    const problem =
      checkShape(name, role, hex, more) ?? checkRepetition(roles.get(name), role, digests, digest);
    if (problem !== null) {
      const named = namePattern.test(name) && isRole(role) ? ` (${name})` : '';
      problems.push(`Entry ${index + 1}${named} ${problem}.`);
      return [];
    }
    roles.set(name, role);
    digests.add(digest);
    return [{ viewer: { name, role: role as Viewer['role'] }, digest: Buffer.from(digest, 'hex') }];
  });
  return { tokens, problems };
}

const isRole = (role: string) => role === 'user' || role === 'operator';

function checkShape(name: string, role: string, hex: string, more: readonly string[]): string | null {
  if (hex === '' || more.length > 0) return 'must be name:role:sha256-of-token';
  if (!namePattern.test(name)) return 'must have a name of 1 to 64 characters from a-z 0-9 . _ @ -';
  if (!isRole(role)) return 'must have the role user or operator';
  return digestPattern.test(hex)
    ? null
    : 'must end with the SHA-256 of the token (64 hexadecimal digits), not with the token itself';
}

function checkRepetition(
  earlierRole: string | undefined,
  role: string,
  digests: ReadonlySet<string>,
  digest: string,
): string | null {
  if (earlierRole !== undefined && earlierRole !== role)
    return `must have the role ${earlierRole}, like the earlier entry of that name`;
  return digests.has(digest) ? 'must have a token that no other entry has, and not an empty one' : null;
}

/**
 * The viewer of a token, or null.
 *
 * Compares with every entry in constant time, also after a match, so the response time leaks nothing about the
 * configured tokens (timing attack).
 */
export function viewerOf(token: string, tokens: readonly Token[]): Viewer | null {
  const digest = sha256(token);
  let viewer: Viewer | null = null;
  for (const one of tokens) {
    if (timingSafeEqual(digest, one.digest)) viewer = one.viewer;
  }
  return viewer;
}

/**
 * The bearer token of an `Authorization` header, or null.
 *
 *     bearerToken('Bearer abc')   // 'abc'
 */
export function bearerToken(header: string): string | null {
  return /^bearer +([\w.~+/-]+=*)$/i.exec(header)?.[1] ?? null;
}

/** The entry for `AUTH_TOKENS`. Throws on a name or role that the service would refuse. */
export function tokenEntry({ name, role, token }: { name: string; role: string; token: string }): string {
  const entry = `${name}:${role}:${sha256(token).toString('hex')}`;
  const [problem] = parseTokens(entry).problems;
  if (problem !== undefined)
    throw new Error(`${problem.replace(/^Entry 1( \(.*?\))?/, 'The entry')} Got: ${name} ${role}`);
  return entry;
}

/** For secrets that are random enough to need no salt. */
export function sha256(secret: string): Buffer {
  return hash('sha256', secret, 'buffer');
}
