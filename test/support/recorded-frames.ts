import { readFileSync, writeFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { createOutlet } from '../../src/api/feed/slow-client.ts';
import type { ClientFrame, Frame, FrameOf } from '../../src/contract/schemas.ts';
import { type FeedClient, watch } from '../api/feed-client.ts';

/** Reads an event stream. */
export async function readEvents(url: string) {
  const { body } = await fetch(url);
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  onTestFinished(() => reader.cancel());
  let text = '';
  return {
    /** The stream up to the first event of a type, that one included. */
    async until(type: Frame['type']): Promise<string> {
      for (;;) {
        const end = text.indexOf('\n\n', text.indexOf(`event: ${type}\n`));
        if (text.includes(`event: ${type}\n`) && end >= 0) return text.slice(0, end + 2);
        const { value = '' } = await reader.read();
        text += value;
      }
    },
  };
}

interface Watched {
  /** Has seen a job of a subscription `mine` to the portfolio end, and its totals change. */
  feed: FeedClient;
  portfolio: string;
  /** Of the symbol whose job that was. */
  symbol: string;
  /** Lets so much time pass that a silent feed says where it is. */
  later(): void;
}

/** One frame of each type, whoever sends it. */
export async function recordedFrames(
  url: string,
  { feed, portfolio, symbol, later }: Watched,
): Promise<Record<string, ClientFrame | Frame>> {
  const subscriptions = [{ id: 'mine', portfolios: [portfolio] }];
  const { position } = await feed.frame('snapshot.updated');
  later();
  await feed.frame('position');
  const unsubscribe: ClientFrame = { type: 'unsubscribe', subscriptions: ['mine'] };
  feed.send(unsubscribe);
  await feed.frame('unsubscribed');
  const unknown = '01a20497-0000-7000-8000-000000000000';
  feed.send({ type: 'subscribe', subscriptions: [{ id: 'mine', portfolios: [unknown] }] });
  await feed.frame('error');

  const resume: ClientFrame = {
    type: 'resume',
    after: position - 1,
    subscriptions: [...subscriptions, { id: 'watchlist', symbols: ['AAPL', 'BRK.B'] }],
  };
  const resuming = async (after: number) => {
    const client = watch(url);
    await client.frame('hello');
    client.send({ ...resume, after });
    return client;
  };
  const frames: (ClientFrame | Frame)[] = [
    { type: 'subscribe', subscriptions },
    resume,
    unsubscribe,
    ...feed.frames.filter((frame) => frame.type !== 'actor'),
    feed.of('actor').find(({ job }) => job.symbol === symbol)!,
    await (await resuming(resume.after)).frame('resumed'),
    await (await resuming(position + 1000)).frame('resync'),
    coalesced(feed.of('transition')),
  ];
  // The first of each type.
  return Object.fromEntries(frames.reverse().map((frame) => [frame.type, frame]));
}

/** Shows recorded frames in a guide, in place of those of their types that it shows. */
export function showFrames(guide: URL, frames: Record<string, object>): void {
  const shown = readFileSync(guide, 'utf8').replace(/(?<=```json\n).*?(?=```)/gs, (block) => {
    const { type } = JSON.parse(block) as { type: string };
    // A list of texts on one line, as the formatter of the guide has it.
    const text = JSON.stringify(frames[type], null, 2);
    return `${text.replace(/\[\s+([^[\]{}]+?)\s+\]/g, (_, list: string) => `[${list.replace(/\s+/g, ' ')}]`)}\n`;
  });
  writeFileSync(guide, shown);
}

/** What a client gets that has read the first of the transitions, and reads the others too late. */
function coalesced([first, ...others]: FrameOf<'transition'>[]): Frame {
  const written: Frame[] = [];
  const sink = { pending: 0, write: () => {}, close: () => {} };
  const outlet = createOutlet({
    sink,
    encode(frame) {
      written.push(frame);
      return new Uint8Array();
    },
    limits: { bufferBytes: 1, slowMs: 1000 },
    now: () => 0,
    onClose() {},
  });
  outlet.deliver(first!);
  sink.pending = 2;
  for (const entry of others) outlet.deliver(entry);
  sink.pending = 0;
  outlet.drained();
  return written.find(({ type }) => type === 'coalesced')!;
}
