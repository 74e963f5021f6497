import { randomBytes } from 'node:crypto';
import type { Tickets, Viewer } from '../../contract/service.ts';
import type { Database } from '../../database/database.orm.ts';
import { sha256 } from './tokens.ts';

const lifetimeSeconds = 30; // time to open the WebSocket
const ticketPattern = /^[\w-]{43}$/; // 256 bits in base64url
const cleanedMax = 100; // more than one request adds, so unused tickets do not pile up

/** One-time tickets, valid on every node. They expire by the database's clock. */
export function ticketStore(database: Database): Tickets {
  return {
    async issue({ name, role }) {
      const ticket = randomBytes(32).toString('base64url');
      const [row] = await database.sql<{ expires_at: string }>(issueSql, [
        digestOf(ticket),
        name,
        role,
        lifetimeSeconds,
        cleanedMax,
      ]);
      return { ticket, expires_at: new Date(row!.expires_at).toISOString() };
    },
    async redeem(ticket) {
      // A malformed guess costs no statement.
      if (!ticketPattern.test(ticket)) return null;
      const [row] = await database.sql<Viewer & { fresh: boolean }>(redeemSql, [digestOf(ticket)]);
      return row?.fresh ? { name: row.name, role: row.role } : null;
    },
  };
}

const digestOf = (ticket: string) => sha256(ticket).toString('hex');

const issueSql = `
  with cleaned as (
    delete from tickets where hash in (
      select hash from tickets where expires_at < now() order by expires_at limit $5 for update skip locked
    )
  )
  insert into tickets (hash, name, role, expires_at)
  values ($1, $2, $3, now() + make_interval(secs => $4)) returning expires_at`;

const redeemSql = `delete from tickets where hash = $1 returning name, role, expires_at > now() as fresh`;
