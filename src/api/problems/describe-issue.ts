import { missingMessage } from '../../contract/schemas.ts';

/** A value that its schema refuses. */
export interface RefusedValue {
  /** The parameter, or the JSON pointer to the field: `limit`, `/positions/1/symbol`. */
  name: string;
  /** What the name refers to: `parameter`, `field`, `header`. */
  kind: string;
  /** The value to quote; null if it is absent or must not be shown. */
  value: string | null;
  /** What is allowed, from the schema. */
  message: string;
  /** The schema has no such name. */
  isUnknown: boolean;
}

/**
 * What is wrong with a value and what is allowed, in two sentences at most.
 *
 *     describeIssue({ name: 'limit', kind: 'parameter', value: '9000', message: 'Allowed: at most 500.', isUnknown: false })
 *     // 'Invalid `limit` "9000". Allowed: at most 500.'
 */
export function describeIssue({ name, kind, value, message, isUnknown }: RefusedValue): string {
  if (isUnknown) return `Unknown ${kind} \`${name}\`. ${message}`;
  if (message === missingMessage) return `Missing ${kind} \`${name}\`. ${message}`;
  return `Invalid \`${name}\`${value === null ? '' : ` ${JSON.stringify(value)}`}. ${message}`;
}
