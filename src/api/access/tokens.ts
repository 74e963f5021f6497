import { hash, timingSafeEqual } from 'node:crypto';
import type { Viewer } from '../../contract/service.ts';

/** One entry of `AUTH_TOKENS`: who somebody is that knows the token. The token itself is kept nowhere. */
export interface Token {
  viewer: Viewer;
  /** SHA-256 of the token, 32 bytes. */
  digest: Buffer;
}

const namePattern = /^[a-z0-9][a-z0-9._@-]{0,63}$/;
const digestPattern = /^[0-9a-f]{64}$/i;

/**
 * Reads entries `name:role:sha256`, separated by commas: tokens, or every problem as the rest of "expected …".
 *
 * A name may come several times with one role, so that its token can be replaced while the old one still works.
 * A problem names an entry by its place, and by its name only once that must be one: nothing that could be a
 * secret is repeated.
 */
export function parseTokens(list: string): { tokens: Token[]; problems: string[] } {
  const problems: string[] = [];
  const roles = new Map<string, string>();
  const digests = new Set<string>([sha256('').toString('hex')]); // of a token that was forgotten
  const tokens = list.split(',').flatMap((entry, index): Token[] => {
    const [name = '', role = '', hex = '', ...more] = entry.split(':').map((part) => part.trim());
    const digest = hex.toLowerCase();
    const wrong =
      refuseShape(name, role, hex, more) ?? refuseRepetition(roles.get(name), role, digests, digest);
    if (wrong !== null) {
      const named = namePattern.test(name) && isRole(role) ? ` (${name})` : '';
      problems.push(`entry ${index + 1}${named} ${wrong}`);
      return [];
    }
    roles.set(name, role);
    digests.add(digest);
    return [{ viewer: { name, role: role as Viewer['role'] }, digest: Buffer.from(digest, 'hex') }];
  });
  return { tokens, problems };
}

const isRole = (role: string) => role === 'user' || role === 'operator';

function refuseShape(name: string, role: string, hex: string, more: readonly string[]): string | null {
  if (hex === '' || more.length > 0) return 'to be name:role:sha256-of-token';
  if (!namePattern.test(name)) return 'to have a name of 1 to 64 of a-z 0-9 . _ @ -';
  if (!isRole(role)) return 'to have the role user or operator';
  return digestPattern.test(hex)
    ? null
    : 'to end with a SHA-256, 64 hexadecimal digits, never with the token';
}

function refuseRepetition(
  earlierRole: string | undefined,
  role: string,
  digests: ReadonlySet<string>,
  digest: string,
): string | null {
  if (earlierRole !== undefined && earlierRole !== role) return `to have the role ${earlierRole}, as before`;
  return digests.has(digest) ? 'to have a token of its own, and not an empty one' : null;
}

/**
 * Whose token this is, or null.
 *
 * Compared with every entry, each in constant time, whether or not an earlier one was right: how long it takes tells
 * nothing about what is configured.
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
 * The token of an `Authorization` header, null where it carries none.
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
  if (problem !== undefined) throw new Error(`Expected ${problem}, got: ${name} ${role}`);
  return entry;
}

/** Of a secret that is random enough to need no salt. */
export function sha256(secret: string): Buffer {
  return hash('sha256', secret, 'buffer');
}
