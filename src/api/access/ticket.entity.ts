import { defineEntity, p } from '@mikro-orm/core';

/** A ticket for one WebSocket, for whom it was made. Only its hash is kept, and only until it is used or too old. */
export const Ticket = defineEntity({
  name: 'Ticket',
  tableName: 'tickets',
  indexes: [{ name: 'tickets_expires_at', properties: ['expiresAt'] }],
  properties: {
    /** SHA-256 of the ticket, in hex. */
    hash: p.string().primary().length(64),
    name: p.string().length(128),
    role: p.string().length(16),
    expiresAt: p.datetime(6),
  },
});
