import type { Pool, PoolClient } from 'pg';

// A node that is stopped in the middle of a transaction must not freeze the others, and a lock that does not come
// is an answer, not a wait without end.
export const sessionOptions = {
  options: '-c idle_in_transaction_session_timeout=5000 -c lock_timeout=5000',
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000, // a host that is gone says nothing
};

/**
 * Takes a connection that broke while it was lent out back into the pool's hands, which removes it.
 *
 * Kysely gives the connection of a transaction back only after a rollback that worked, and on a broken one none does:
 * ten interrupted transactions would leave a pool of ten empty, every statement waiting, and nothing able to close.
 */
export function discardBrokenConnections(pool: Pool): void {
  const lent = new WeakSet<PoolClient>();
  pool.on('acquire', (client) => lent.add(client));
  pool.on('release', (_error, client) => lent.delete(client));
  pool.on('connect', (client) => {
    client.on('error', (error) => {
      if (!lent.has(client)) return; // an idle one the pool removes by itself
      const release = client.release;
      client.release = () => {}; // should its borrower give it back after all
      release.call(client, error);
    });
  });
}
