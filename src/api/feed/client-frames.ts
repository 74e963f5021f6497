import type { z } from 'zod';
import {
  type ClientFrame,
  clientFrameSchema,
  type FrameOf,
  type Subscription,
} from '../../contract/schemas.ts';
import type { Viewer } from '../../contract/service.ts';
import { normaliseSymbol } from '../../market/normalise-symbol.ts';
import { describeIssue } from '../problems/describe-issue.ts';
import { errorFrame } from './frames.ts';

type Refusal = FrameOf<'error'>;

/**
 * Parses a message of a client: a frame, or an error frame. `null` stands for a binary message.
 *
 *     readFrame('{"type":"subscribe"}')   // { type: 'error', code: 'invalid_frame', … }
 */
export function readFrame(text: string | null): ClientFrame | Refusal {
  if (text === null) return errorFrame('malformed_frame', 'Binary messages are not supported. Send text.');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return errorFrame('malformed_frame', `Invalid JSON: ${shown(text)}`);
  }
  const parsed = clientFrameSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const type = (json as { type?: unknown } | null)?.type;
  if (!types.includes(type as ClientFrame['type'])) {
    const wrong = type === undefined ? 'Missing `type`' : `Invalid \`type\` ${shown(JSON.stringify(type))}`;
    return errorFrame('invalid_frame', `${wrong}. Allowed: ${types.join(', ')}.`);
  }
  return errorFrame('invalid_frame', describeFrameIssue(issue!));
}

function describeFrameIssue(issue: z.core.$ZodIssue): string {
  const [unknown] = issue.code === 'unrecognized_keys' ? issue.keys : [];
  return describeIssue({
    name: [...issue.path, ...(unknown === undefined ? [] : [unknown])].join('.') || 'frame',
    kind: 'field',
    value: null,
    message: issue.message,
    isUnknown: unknown !== undefined,
  });
}

const types: readonly ClientFrame['type'][] = ['subscribe', 'resume', 'unsubscribe'];
const shown = (text: string) => (text.length > 80 ? `${text.slice(0, 80)}…` : text);

/** A subscription with normalised names, or an error frame if it can never begin. */
export function readSubscription(given: Subscription, viewer: Viewer): Subscription | Refusal {
  if (given.everything && viewer.role !== 'operator') {
    return errorFrame('operators_only', 'Only operators may subscribe to everything.', given.id);
  }
  const { symbols, portfolios, jobs, ...rest } = given;
  const normal = symbols?.map((raw) => ({ raw, ...normaliseSymbol(raw) }));
  const wrong = normal?.find(({ symbol }) => symbol === null);
  if (wrong) return errorFrame('invalid_frame', `Invalid symbol "${shown(wrong.raw)}".`, given.id);
  return {
    ...rest,
    ...(normal && { symbols: distinct(normal.map(({ symbol }) => symbol!)) }),
    ...(portfolios && { portfolios: distinct(portfolios.map((id) => id.toLowerCase())) }),
    ...(jobs && { jobs: distinct(jobs.map((id) => id.toLowerCase())) }),
  };
}

const distinct = (names: readonly string[]) => [...new Set(names)];

/** The number of names in a subscription, which are limited. */
export const namesIn = ({ symbols = [], portfolios = [], jobs = [] }: Subscription): number =>
  symbols.length + portfolios.length + jobs.length;
