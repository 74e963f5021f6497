import { z } from 'zod';
import { parseTokens, type Token } from '../api/access/tokens.ts';

/** `AUTH_TOKENS`: each wrong entry is an issue of its own. */
export function authTokens() {
  return z
    .string()
    .transform((list, context): Token[] => {
      const { tokens, problems } = list.trim() === '' ? { tokens: [], problems: [] } : parseTokens(list);
      for (const message of problems) context.addIssue({ code: 'custom', message });
      return tokens;
    })
    .prefault('');
}

/** Origins as a browser sends them: no path, no wildcard, so that nobody is let in by half a name. */
export function origins() {
  return z
    .string()
    .transform((list, context): string[] => {
      const all = listed(list);
      const wrong = all.find((one) => !isOrigin(one));
      if (wrong !== undefined) {
        context.addIssue({
          code: 'custom',
          message: 'origins like https://app.example, separated by commas',
        });
      }
      return all;
    })
    .prefault('');
}

const isOrigin = (text: string) =>
  /^https?:[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text;

const networks = ['loopback', 'linklocal', 'uniquelocal'];

/** Whoever is trusted may call himself any client, so a network of everybody is none. */
export function proxies() {
  return z
    .string()
    .transform((list, context): string[] => {
      const all = listed(list);
      if (!all.every((one) => networks.includes(one) || isNetwork(one))) {
        const message = 'addresses or networks like 10.0.0.0/8, or loopback, separated by commas';
        context.addIssue({ code: 'custom', message });
      }
      return all;
    })
    .prefault('');
}

const network = z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()]);
const isNetwork = (text: string) => network.safeParse(text).success && !text.endsWith('/0');

function listed(text: string): string[] {
  return text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}
