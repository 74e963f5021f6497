import { publicUrl } from '../../market/provider-calls.ts';

const secretName = /secret|token|password|passwd|credential|crumb|cookie|authorization|api.?key/i;
const depthMax = 8; // deeper than any context or event of this service

/**
 * Redacts a context or an event for display. Values under a secret-sounding name become `***`. URLs in texts are reduced
 * by `publicUrl`. Functions, and values nested more than eight levels deep, are removed.
 *
 *     redactSecrets({ error: { message: 'GET https://x.example/?crumb=abc' }, token: 'abc' })
 *     // { error: { message: 'GET https://x.example/?crumb=***' }, token: '***' }
 */
export function redactSecrets<T>(value: T): T {
  return shown(value, 0) as T;
}

function shown(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.includes('://') ? withPublicUrls(value) : value;
  if (typeof value === 'function' || typeof value === 'symbol' || depth > depthMax) return undefined;
  if (value instanceof Error) return { name: value.name, message: withPublicUrls(value.message) };
  if (Array.isArray(value)) return value.map((one) => shown(one, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      secretName.test(name) && inner !== null ? '***' : shown(inner, depth + 1),
    ]),
  );
}

const withPublicUrls = (text: string) => text.replace(/\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>]+/gi, publicUrl);
