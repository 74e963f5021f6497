import { missingMessage } from '../../contract/schemas.ts';

/** A value that its schema refuses. */
export interface RefusedValue {
  /** Of the parameter or the place, as the client knows it: `limit`, `/positions/1/symbol`. */
  name: string;
  /** What kind of name that is: `parameter`, `field`, `header`. */
  kind: string;
  /** To be quoted; null where it must not be, or where there is none. */
  value: string | null;
  /** What is allowed, from the schema. */
  message: string;
  /** No schema knows the name. */
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
