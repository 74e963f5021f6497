import { hash } from 'node:crypto';

/** N(0,1) from a hash of (seed, stream, date): Box and Muller, Ann. Math. Statist. 29 (1958), 610-611. */
export function standardNormal(seed: number, stream: string, date: string): number {
  const digest = digestOf(seed, stream, date);
  return Math.sqrt(-2 * Math.log(uniform(digest, 0))) * Math.cos(2 * Math.PI * uniform(digest, 1));
}

/** A uniform number from (seed, stream), the same for all dates, in the open interval (0, 1). */
export const uniformOf = (seed: number, stream: string): number => uniform(digestOf(seed, stream, ''), 0);

// `|` occurs in no symbol, so different draws never hash the same text.
export const digestOf = (seed: number, stream: string, date: string): string =>
  hash('sha256', `${seed}|${stream}|${date}`, 'hex');

/** The `part`th (0 to 3) uniform number of a digest, in the open interval (0, 1): 13 hexadecimal digits are 52 bits. */
export const uniform = (digest: string, part: number): number =>
  (Number.parseInt(digest.slice(part * 13, part * 13 + 13), 16) + 0.5) / 2 ** 52;
