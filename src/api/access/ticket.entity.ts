import { defineEntity, p } from '@mikro-orm/core';

/** A one-time ticket for a WebSocket or event stream. Only its hash is stored, until it is used or has expired. */
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
