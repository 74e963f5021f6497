import { createConfig, lintFromString } from '@redocly/openapi-core';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import { closeCodes } from '../../../src/api/feed/frames.ts';
import { describeFeed } from '../../../src/api/openapi/asyncapi.ts';
import frames from '../../../src/api/openapi/examples/frames.json' with { type: 'json' };
import { clientFrameSchema, frameSchema } from '../../../src/contract/schemas.ts';
import { ask, serve, tokens } from '../serve.ts';

type Document = ReturnType<typeof describeFeed>;

async function lint(document: object): Promise<string[]> {
  const config = await createConfig({ extends: ['recommended-strict'] });
  const problems = await lintFromString({ source: JSON.stringify(document), config });
  return problems.map(({ ruleId, message, location }) => `${ruleId} at ${location[0]?.pointer}: ${message}`);
}

describe('the document of the feed', () => {
  test('is valid AsyncAPI 3, with tokens and without', async () => {
    const { url } = await serve();
    const { status, headers, body } = await ask(`${url}/asyncapi.json`);
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    expect(body.asyncapi).toBe('3.0.0');
    const open = /^security-defined /; // nobody is asked who he is
    expect((await lint(body)).filter((problem) => !open.test(problem))).toEqual([]);
    const { url: closed } = await serve({ tokens });
    const { body: secured } = await ask(`${closed}/asyncapi.json`);
    expect(secured.operations.ask.security).toHaveLength(1);
    expect(await lint(secured)).toEqual([]);
    expect(await lint({ ...secured, operations: { ask: { action: 'shout' } } })).not.toEqual([]);
  });

  test('has each frame, with an example that its schema allows, and each close code', async () => {
    const document = describeFeed({ examples: frames, version: '1.0.0', protected: false });
    const { messages, schemas } = document.components as Document['components'];
    const ajv = addFormats.default(new Ajv2020({ strict: false }));
    ajv.addSchema({ $id: 'feed:document', components: { schemas } });
    for (const message of Object.values(messages) as unknown as Message[]) {
      const { $ref } = message.payload;
      const valid = ajv.compile({ $ref: `feed:document${$ref}` });
      expect([message.name, valid(message.examples[0]!.payload), valid.errors]).toEqual([
        message.name,
        true,
        null,
      ]);
      expect(valid({ type: message.name, position: 'high' })).toBe(false);
    }
    expect(Object.keys(messages)).toHaveLength(clientFrameSchema.options.length + frameSchema.options.length);
    for (const code of Object.values(closeCodes)) {
      expect(document.channels.socket.description).toContain(String(code));
    }
  });

  test.each(Object.entries(frames))('shows a frame %s as it is', (type, frame) => {
    const read = [clientFrameSchema, frameSchema].map((schema) => schema.safeParse(frame));
    expect([type, read.find(({ success }) => success)?.data]).toEqual([frame.type, frame]);
  });
});

interface Message {
  name: string;
  payload: { $ref: string };
  examples: { payload: object }[];
}
