import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openDatabase } from '../../src/open-database.ts';
import { describeOnDatabase } from '../support/databases.ts';
import { csvOf, startService, type Uploaded } from '../support/service.ts';

/** A way to a PostgreSQL that remembers with which options each session was asked for. */
async function proxyTo(databaseUrl: string) {
  const target = new URL(databaseUrl);
  const [serverPort, serverHost] = [Number(target.port), target.hostname];
  const startups: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(serverPort, serverHost);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    client.once('data', (first) => startups.push(first.toString('latin1')));
    client.pipe(upstream);
    upstream.pipe(client);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  target.port = String(port);
  return { url: target.href, port, startups };
}

describeOnDatabase('postgres', 'every session of the service', (makeDatabase) => {
  test('gives up a lock and an idle transaction after 5 s, and keeps its connection alive', async () => {
    const { databaseUrl } = await makeDatabase();
    const { url, port, startups } = await proxyTo(databaseUrl!);
    const alive: Socket[] = [];
    const real = (await import('node:net')).Socket.prototype;
    const setKeepAlive = vi.spyOn(real, 'setKeepAlive').mockImplementation(function (
      this: Socket,
      on,
      delay,
    ) {
      if (on && delay === 10_000) alive.push(this);
      return this;
    });
    onTestFinished(() => setKeepAlive.mockRestore());
    const database = await openDatabase({ databaseUrl: url, dataDir: null, fsync: false });
    onTestFinished(() => database.close());
    const service = await startService(database);
    const { body } = await service.upload<Uploaded>(csvOf('AAPL', 'MSFT', 'IBM'));
    await service.settled(body.portfolio_id);

    // The pool of the service, pg-boss's own, and those that listen.
    expect(startups.length).toBeGreaterThan(4);
    for (const startup of startups) {
      expect(startup).toContain('idle_in_transaction_session_timeout=5000');
      expect(startup).toContain('lock_timeout=5000');
    }
    expect(alive.filter(({ remotePort }) => remotePort === port)).toHaveLength(startups.length);
    expect(
      await database.sql(
        `select current_setting('lock_timeout') as lock, current_setting('idle_in_transaction_session_timeout') as idle`,
      ),
    ).toEqual([{ lock: '5s', idle: '5s' }]);
  }, 180_000);
});
