/** The longest wait: proxies and clients begin to time out at about this age. */
export const waitSecondsMax = 60;

/**
 * The `wait` seconds of a `Prefer` header (RFC 7240), at most `waitSecondsMax`; null if it has none.
 *
 * Of several `wait`s the first counts, even if it is malformed. Malformed and unknown preferences are ignored.
 *
 *     waitPreferred('respond-async, wait=90; reason="a, b"')   // 60
 */
export function waitPreferred(header: string | readonly string[] | undefined): number | null {
  if (header === undefined) return null;
  for (const preference of separated([header].flat().join(','), ',')) {
    const [first = ''] = separated(preference, ';');
    const [name = '', ...rest] = first.split('=');
    if (name.trim().toLowerCase() !== 'wait') continue;
    const value = rest
      .join('=')
      .trim()
      .replace(/^"(.*)"$/, '$1');
    return /^\d{1,15}$/.test(value) ? Math.min(Number(value), waitSecondsMax) : null;
  }
  return null;
}

/** Splits at separators outside of quotes. */
function separated(text: string, separator: ',' | ';'): string[] {
  const parts: string[] = [];
  let part = '';
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]!;
    if (quoted && char === '\\') part += char + (text[++at] ?? '');
    else if (char === separator && !quoted) {
      parts.push(part);
      part = '';
    } else {
      if (char === '"') quoted = !quoted;
      part += char;
    }
  }
  return [...parts, part];
}
