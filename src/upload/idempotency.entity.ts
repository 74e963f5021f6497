import { defineEntity, p } from '@mikro-orm/core';

/**
 * An upload with an `Idempotency-Key`: in flight while `answer` is null, else its response. `token` identifies the request
 * that holds the key; after `lockedUntil` another request may take the key over.
 */
export const IdempotencyKey = defineEntity({
  name: 'IdempotencyKey',
  tableName: 'idempotency_keys',
  indexes: [{ name: 'idempotency_keys_expires_at', properties: ['expiresAt'] }],
  properties: {
    owner: p.string().primary().length(128),
    key: p.string().primary().length(255),
    /** SHA-256 of the upload, in hex. */
    fingerprint: p.string().length(64),
    token: p.uuid(),
    lockedUntil: p.datetime(6),
    expiresAt: p.datetime(6),
    answer: p.json<unknown>().nullable(),
    createdAt: p.datetime(6).defaultRaw('now()'),
  },
});
