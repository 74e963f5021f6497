import { z } from 'zod';
import { parseTokens, type Token } from '../api/access/tokens.ts';

/** `AUTH_TOKENS`: each invalid entry is an issue of its own. */
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

/** Origins as a browser sends them: no path, no wildcard, because a partial match would admit strangers. */
export function origins() {
  return z
    .string()
    .transform((list, context): string[] => {
      const all = listed(list);
      const wrong = all.find((one) => !isOrigin(one));
      if (wrong !== undefined) {
        context.addIssue({
          code: 'custom',
          message: 'Allowed: origins like https://app.example, separated by commas.',
        });
      }
      return all;
    })
    .prefault('');
}

const isOrigin = (text: string) =>
  /^https?:[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text;

const networks = ['loopback', 'linklocal', 'uniquelocal'];

/** A trusted proxy may claim any client address, so a network of all addresses (`/0`) is refused. */
export function proxies() {
  return z
    .string()
    .transform((list, context): string[] => {
      const all = listed(list);
      if (!all.every((one) => networks.includes(one) || isNetwork(one))) {
        const message =
          'Allowed: addresses, networks like 10.0.0.0/8, loopback, linklocal and uniquelocal, separated by commas.';
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
