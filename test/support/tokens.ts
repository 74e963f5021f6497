import { tokenEntry } from '../../src/api/access/tokens.ts';

/** Two users, who must not see each other's portfolios, and an operator. */
export const people = { ann: 'user', bob: 'user', olga: 'operator' } as const;
export type Person = keyof typeof people;

export const tokenOf = (person: Person) => `token-of-${person}`;

/** `AUTH_TOKENS` for them all. */
export const authTokens = (Object.keys(people) as Person[])
  .map((name) => tokenEntry({ name, role: people[name], token: tokenOf(name) }))
  .join(',');

/** The header that shows who asks; none for a stranger. */
export function credentials(person: Person | null): Record<string, string> {
  return person === null ? {} : { authorization: `Bearer ${tokenOf(person)}` };
}
