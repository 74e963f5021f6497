import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { closeCodes, encodeForRoles, eventText } from '../../../src/api/feed/frames.ts';
import { frameExamples } from '../../../src/api/openapi/examples/feed-examples.ts';
import { clientFrameSchema, frameSchema, liveErrorCodes } from '../../../src/contract/schemas.ts';

const guide = readFileSync(join(import.meta.dirname, '../../../docs/feed.md'), 'utf8');
const shown = [...guide.matchAll(/```json\n(.*?)```/gs)].map(([, text]) => JSON.parse(text!) as object);

describe('docs/feed.md', () => {
  test('shows one frame of each type, as the schemas have it', () => {
    const known = [...clientFrameSchema.options, ...frameSchema.options];
    const types = known.map(({ shape }) => shape.type.value).sort();
    expect(shown.map((frame) => (frame as { type: string }).type).sort()).toEqual(types);
    for (const frame of shown) {
      const read = [clientFrameSchema, frameSchema].map((schema) => schema.safeParse(frame));
      expect(read.find(({ success }) => success)?.data).toEqual(frame);
    }
  });

  test('says what to do about each error and each close code', () => {
    for (const code of liveErrorCodes) expect(guide).toContain(`| \`${code}\``);
    for (const code of Object.values(closeCodes)) expect(guide).toContain(`| ${code} `);
  });
});

describe('an event', () => {
  test('has an id only where it can be resumed after', () => {
    expect(eventText(frameExamples.live)).toMatch(/^event: live\nid: 341\ndata: \{.*\}\n\n$/);
    for (const type of [
      'hello',
      'subscribed',
      'actor',
      'portfolio',
      'resumed',
      'resync',
      'coalesced',
    ] as const) {
      expect(eventText(frameExamples[type])).not.toContain('\nid: ');
    }
    expect(eventText(frameExamples.position)).toBe(': heartbeat\nid: 412\n\n');
  });

  test('is made once for each role, however many read it', () => {
    const made: unknown[] = [];
    const { operator, user } = encodeForRoles((frame) => {
      made.push((frame as { node?: unknown }).node);
      return Buffer.alloc(made.length);
    });
    const { transition } = frameExamples;
    const read = [operator, user, operator, user].map((encode) => encode(transition).length);
    expect(read).toEqual([1, 2, 1, 2]);
    expect(made).toEqual(['server-1-4711-00e1ae3d', null]);
  });
});
