import type { z } from 'zod';

/** The message for a missing value. */
export const missingMessage = 'It is required.';

/**
 * What is allowed instead of a refused value: the second sentence after "Invalid `limit` "9000"."
 *
 * For zod's global `customError`; messages of a schema take precedence. Undefined for zod's own message.
 *
 *     issueMessage({ code: 'too_big', origin: 'number', maximum: 500, input: 9000 })   // 'Allowed: at most 500.'
 */
export function issueMessage(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return missingMessage;
      return `Allowed: ${types[issue.expected] ?? issue.expected}.`;
    case 'invalid_value':
      return `Allowed: ${issue.values.map(String).join(', ')}.`;
    case 'too_big':
      return `Allowed: at most ${counted(issue.maximum, issue.origin)}.`;
    case 'too_small':
      return `Allowed: at least ${counted(issue.minimum, issue.origin)}.`;
    case 'invalid_format':
      return formats[issue.format] && `Allowed: ${formats[issue.format]}.`;
    case 'unrecognized_keys':
      return `Allowed: ${namesOf(issue.inst).join(', ')}.`;
    default:
      return undefined;
  }
}

const types: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true, false',
  array: 'a list',
  object: 'an object',
};

const formats: Record<string, string> = {
  uuid: 'a UUID',
  date: 'a day as YYYY-MM-DD',
  datetime: 'a date and time in ISO 8601, like 2026-07-31T12:00:00Z',
};

/** `64 characters`, `1 entry`, or a number. */
function counted(count: number | bigint, origin: string): string {
  if (origin === 'string') return `${count} ${count === 1 ? 'character' : 'characters'}`;
  return origin === 'array' ? `${count} ${count === 1 ? 'entry' : 'entries'}` : String(count);
}

/** The keys of a strict object. */
const namesOf = (schema: unknown): string[] =>
  Object.keys((schema as z.core.$ZodObject | undefined)?._zod.def.shape ?? {});
