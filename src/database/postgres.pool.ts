import type { Pool, PoolClient } from 'pg';

// A node that is suspended inside a transaction must not block the others, and waiting for a lock must end.
export const sessionOptions = {
  options: '-c idle_in_transaction_session_timeout=5000 -c lock_timeout=5000',
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000, // detects a host that disappeared without closing the connection
};

/**
 * Returns a connection that broke while it was checked out to the pool, which then removes it.
 *
 * Kysely releases the connection of a transaction only after a successful rollback, and on a broken connection no
 * rollback succeeds. Ten interrupted transactions would exhaust a pool of ten: every statement would wait, and the pool
 * could not close.
 */
export function discardBrokenConnections(pool: Pool): void {
  const lent = new WeakSet<PoolClient>();
  pool.on('acquire', (client) => lent.add(client));
  pool.on('release', (_error, client) => lent.delete(client));
  pool.on('connect', (client) => {
    client.on('error', (error) => {
      if (!lent.has(client)) return; // the pool removes idle connections itself
      const release = client.release;
      client.release = () => {}; // ignore a later release by the borrower
      release.call(client, error);
    });
  });
}
