import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createActor, createMachine } from 'xstate';
import { describeOnDatabase } from './databases.ts';
import { handles, handlesBeyond, leaks, mark } from './leaks.ts';

const here = /support\/leaks\.test\.ts:\d+/;
const idle = createMachine({ id: 'idle', initial: 'waiting', states: { waiting: {} } });

describe('leaks', () => {
  test('are actors, by id and the line that started them, until they stop', async () => {
    const since = mark();
    const actor = createActor(idle).start();
    const [leak, ...others] = await leaks({ since, graceMs: 0 });
    expect(leak).toMatch(/^actor idle, started at /);
    expect(leak).toMatch(here);
    expect(others).toEqual([]);
    actor.stop();
    expect(await leaks({ since })).toEqual([]);
  });

  test('are not actors that reached their end', async () => {
    const since = mark();
    createActor(createMachine({ initial: 'end', states: { end: { type: 'final' } } })).start();
    expect(await leaks({ since })).toEqual([]);
  });

  test('are listening servers until they close, and sockets until both ends are gone', async () => {
    const since = mark();
    const before = handles();
    const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const client = connect(port, '127.0.0.1');
    await once(client, 'connect');
    expect(await leaks({ since, graceMs: 0 })).toEqual([
      expect.stringMatching(/^server, started at .*leaks\.test\.ts/),
    ]);
    server.close();
    expect(await leaks({ since })).toEqual([]);
    expect(await handlesBeyond(before, 0)).toContainEqual(expect.stringMatching(/^TCPSocketWrap: /));
    client.destroy();
    expect(await handlesBeyond(before)).toEqual([]);
  });

  test('are child processes until they ended', async () => {
    const since = mark();
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    expect(await leaks({ since, graceMs: 0 })).toEqual([expect.stringMatching(/^process .*leaks\.test\.ts/)]);
    child.stdin.end();
    expect(await leaks({ since })).toEqual([]);
  });

  test('are intervals until they are cleared', async () => {
    const since = mark();
    const interval = setInterval(() => {}, 1000);
    expect(await leaks({ since, graceMs: 0 })).toEqual([
      expect.stringMatching(/^interval, .*leaks\.test\.ts/),
    ]);
    clearInterval(interval);
    expect(await leaks({ since })).toEqual([]);
  });
});

describeOnDatabase('pglite', 'leaks', (makeDatabase) => {
  test('are open PGlites', async () => {
    const since = mark();
    const database = await makeDatabase();
    expect(await leaks({ since, graceMs: 0 })).toEqual([expect.stringMatching(/^PGlite in memory/)]);
    await database.close();
    expect(await leaks({ since })).toEqual([]);
  });
});
