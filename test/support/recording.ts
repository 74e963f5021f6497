import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Clock } from '../../src/kernel/clock.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';

/**
 * Holds what a run has answered against the file of an earlier run, or writes that file: `npm run examples`.
 *
 * The file is one run as it was, so its ids, times and positions belong together; the comparison leaves out what no
 * two runs have in common.
 */
export function expectRecorded(file: URL, answered: object): void {
  if (process.env.RECORD) writeFileSync(file, `${JSON.stringify(answered, null, 2)}\n`);
  const recorded = JSON.parse(readFileSync(file, 'utf8'));
  expect(steady(answered), 'npm run examples records them again').toEqual(steady(recorded));
}

/** Numbers that are measured, or counted over the whole service; null is not among them. */
const measured = new Set([
  ...['position', 'feed_position', 'after', 'until', 'head', 'duration_ms', 'bytes'],
  ...['estimated_seconds', 'estimated_drain_seconds', 'median_seconds'],
]);
const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const moment = /\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z/g;

/** The same without what differs from run to run. */
function steady(value: unknown): unknown {
  const ids = new Map<string, string>();
  const nameOf = (id: string) => {
    const name = ids.get(id) ?? `id ${ids.size + 1}`;
    ids.set(id, name);
    return name;
  };
  const text = (text: string) =>
    text
      .replace(uuid, nameOf)
      .replace(moment, 'a time')
      .replace(/(period\d=|^id: |"(?:position|duration_ms)":)\d+/gm, '$1a number');
  const walk = (value: unknown, key: string): unknown => {
    if (typeof value === 'number') return measured.has(key) ? 'a number' : value;
    if (typeof value === 'string') return key === 'ticket' || key === 'request_id' ? key : text(value);
    if (Array.isArray(value)) return value.map((item) => walk(item, key));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, walk(field, name)]));
  };
  return walk(value, '');
}

/** A clock that shows another time than the system's, and goes as fast. */
export function clockAt(start: string): Clock & { skip(ms: number): void; shifted(text: string): string } {
  // From when on, by the system's clock, it is how far ahead.
  const leaps = [{ since: Number.NEGATIVE_INFINITY, ahead: Date.parse(start) - Date.now() }];
  const ahead = (at: number) => leaps.findLast(({ since }) => since <= at)!.ahead;
  return {
    now: () => Date.now() + ahead(Date.now()),
    sleepUntil: (until, signal) => systemClock.sleepUntil(until - ahead(Date.now()), signal),
    skip(ms) {
      leaps.push({ since: Date.now(), ahead: ahead(Date.now()) + ms });
    },
    /** A text with the moments of the database, which has the system's clock, as moments of this one. */
    shifted: (text) =>
      text.replace(moment, (moment) => {
        const at = Date.parse(moment);
        const isOfSystem = Math.abs(at - Date.now()) < 3_600_000;
        return isOfSystem ? new Date(at + ahead(at)).toISOString() : moment;
      }),
  };
}

interface Exchange<Answer> {
  accept?: string;
  parameters?: Record<string, string | number | string[]>;
  body?: { type: string; value: string | object };
  /** Of a long answer, what an example needs. */
  cut?: (answer: Answer) => unknown;
}

type Fields = Record<string, unknown>;

/** The operations of a service as the API document shows them: each with what was sent and what was answered. */
export function operationRecorder(url: string) {
  const operations: Record<string, Record<string, Fields>> = {};
  const note = (operationId: string, part: 'parameters' | 'body' | 'answers' | 'pages', fields: Fields) => {
    operations[operationId] ??= {};
    operations[operationId][part] = { ...operations[operationId][part], ...fields };
  };
  /** Sends `GET /symbols/{symbol}` with its parameters by name, keeps both sides, and resolves with the answer. */
  const ask = async <Answer>(operationId: string, route: string, exchange: Exchange<Answer> = {}) => {
    const { accept = '*/*', parameters = {}, body, cut = (whole) => whole } = exchange;
    const [method = '', template = ''] = route.split(' ');
    const query = new URLSearchParams();
    const headers: Record<string, string> = { accept };
    let path = template;
    for (const [name, value] of Object.entries(parameters)) {
      if (path.includes(`{${name}}`)) path = path.replace(`{${name}}`, encodeURIComponent(String(value)));
      else if (name.includes('-')) headers[name] = String(value);
      else query.set(name, String(value));
    }
    const response = await fetch(`${url}${path}?${query}`, { method, ...sent(body, headers) });
    const text = await response.text();
    assert(response.ok, `${operationId} was answered ${response.status}: ${text}`);
    const type = response.headers.get('content-type') ?? '';
    const answer = (type.startsWith('application/json') ? JSON.parse(text) : text) as Answer;
    if (exchange.parameters) note(operationId, 'parameters', parameters);
    if (body) note(operationId, 'body', { [body.type]: body.value });
    const part = type.startsWith('text/html') ? 'pages' : 'answers';
    if (text !== '') note(operationId, part, { [response.status]: cut(answer) });
    return answer;
  };
  return { operations, note, ask };
}

function sent(body: Exchange<unknown>['body'], headers: Record<string, string>): RequestInit {
  if (!body) return { headers };
  const { type, value } = body;
  if (type !== 'multipart/form-data') {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return { headers: { ...headers, 'content-type': type }, body: text };
  }
  const form = new FormData();
  for (const [name, field] of Object.entries(value as Record<string, string>)) form.append(name, field);
  return { headers, body: form };
}
