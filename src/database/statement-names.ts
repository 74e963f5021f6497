/** What the driver prepares under a name, which Kysely hands on to it as it is. */
export interface Named {
  name: string;
  text: string;
}

// Each is a text that stands in the source, and a prepared statement of each connection. Should a text be made up of
// values after all, it is sent as it is from here on: nothing grows without end.
const namesMax = 500;
const names = new Map<string, Named>();
let made = 0;

/** The statement under its name; as it is where there are too many. */
export function named(text: string): Named | string {
  const known = names.get(text);
  if (known) return known;
  if (names.size >= namesMax) return text;
  made += 1;
  const statement = { name: `statement_${made}`, text };
  names.set(text, statement);
  return statement;
}

/**
 * Whether a statement was prepared before a newer version changed the type of a column that it reads. It gets another
 * name then: the next time, each connection prepares it again.
 */
export function isOutdated(text: string, error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const isPlan = code === '0A000' && String(message).includes('cached plan');
  if (isPlan) names.delete(text);
  return isPlan;
}
