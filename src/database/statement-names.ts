/** A named prepared statement of the driver; Kysely passes it on unchanged. */
export interface Named {
  name: string;
  text: string;
}

// The texts are constants of the source, so there are few, and each connection prepares each of them once. If a text is
// built from values by mistake, this limit bounds the memory: further texts are sent unprepared.
const namesMax = 500;
const names = new Map<string, Named>();
let made = 0;

/** The statement with its name, or the bare text if there are too many names. */
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
 * True if the statement was prepared before a migration of a newer version changed the type of a column that it reads.
 * Then it also drops the name: at the next use the statement gets another one, and each connection prepares it again.
 */
export function isOutdated(text: string, error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const isPlan = code === '0A000' && String(message).includes('cached plan');
  if (isPlan) names.delete(text);
  return isPlan;
}
