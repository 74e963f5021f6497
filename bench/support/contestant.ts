import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** One side of a comparison, in a process of its own: neither its garbage nor its timers meet the others'. */
export interface Contestant<Load> {
  /** One round: prepares, measures, checks what was done. Answers the milliseconds measured. */
  run(load: Load): Promise<number>;
  close(): Promise<void>;
}

type Reply = { ms: number } | { error: string };

/** Starts `file`, which calls `contend`, on the database of that URL. */
export async function startContestant<Load extends object>(
  file: URL,
  url: string,
): Promise<Contestant<Load>> {
  const child = fork(fileURLToPath(file), [url], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  await reply(child);
  return {
    async run(load) {
      child.send(load);
      return reply(child);
    },
    async close() {
      child.disconnect();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

async function reply(child: ChildProcess): Promise<number> {
  const heard = new AbortController(); // takes back the listener that lost
  const { signal } = heard;
  try {
    const message = once(child, 'message', { signal }) as Promise<[Reply]>;
    const exit = once(child, 'exit', { signal }).then(([code]) => [
      { error: `a contestant ended with ${code}` },
    ]) as Promise<[Reply]>;
    exit.catch(() => {}); // taken back
    const [answer] = await Promise.race([message, exit]);
    if ('error' in answer) throw new Error(answer.error);
    return answer.ms;
  } finally {
    heard.abort();
  }
}

/** The other end: opens once, then runs a round for each message, until the benchmark lets go of it. */
export async function contend<Load>(open: (url: string) => Promise<Contestant<Load>>): Promise<void> {
  const contestant = await open(process.argv[2]!);
  process.on('message', (load: Load) => {
    contestant.run(load).then(
      (ms) => process.send!({ ms } satisfies Reply),
      (error: Error) => process.send!({ error: error.stack ?? error.message } satisfies Reply),
    );
  });
  process.on('disconnect', () => {
    contestant.close().finally(() => process.exit());
  });
  process.send!({ ms: 0 } satisfies Reply);
}
