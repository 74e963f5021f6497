import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { closeCodes, encodeForRoles, eventText } from '../../../src/api/feed/frames.ts';
import examples from '../../../src/api/openapi/examples/frames.json' with { type: 'json' };
import {
  clientFrameSchema,
  type Frame,
  type FrameOf,
  frameSchema,
  liveErrorCodes,
} from '../../../src/contract/schemas.ts';

const guide = readFileSync(join(import.meta.dirname, '../../../docs/feed.md'), 'utf8');
const shown = [...guide.matchAll(/```json\n(.*?)```/gs)].map(([, text]) => JSON.parse(text!) as Frame);

describe('docs/feed.md', () => {
  test('shows one frame of each type, as it was recorded', () => {
    const byType = Object.fromEntries(shown.map((frame) => [frame.type, frame]));
    expect(shown).toHaveLength(clientFrameSchema.options.length + frameSchema.options.length);
    expect(byType, 'npm run examples shows the recorded ones').toEqual(examples);
  });

  test('says what to do about each error and each close code', () => {
    for (const code of liveErrorCodes) expect(guide).toContain(`| \`${code}\``);
    for (const code of Object.values(closeCodes)) expect(guide).toContain(`| ${code} `);
  });
});

const frameExamples = examples as unknown as { [Type in Frame['type']]: FrameOf<Type> };

describe('an event', () => {
  test('has an id only where it can be resumed after', () => {
    const live: Frame = { type: 'live', subscriptions: ['mine'], position: 341 };
    expect(eventText(live)).toMatch(/^event: live\nid: 341\ndata: \{.*\}\n\n$/);
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
    expect(eventText({ type: 'position', position: 412 })).toBe(': heartbeat\nid: 412\n\n');
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
