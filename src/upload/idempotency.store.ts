import type { Database, Transaction } from '../database/database.orm.ts';

/** An owner's key: the same key of two owners is two keys. */
export interface KeyOf {
  owner: string;
  key: string;
}

/** A key that this request holds, by a token that no other request has. */
export interface HeldKey extends KeyOf {
  token: string;
}

export type KeyClaim =
  /** It is ours: go on, then `answer` or `release`. */
  | { kind: 'held' }
  /** Another request holds it, since then and, should it have died, until then. */
  | { kind: 'in_flight'; heldSeconds: number; leftSeconds: number }
  /** It was used for something else. */
  | { kind: 'reused' }
  /** It was answered before, with this text. */
  | { kind: 'answered'; answer: string };

export interface IdempotencyStore {
  /**
   * Takes a key that is new, has expired, or whose holder has not been heard of for `lockSeconds`. A short
   * transaction of its own; keys that others hold or that were answered are only read, so nobody waits for an upload.
   */
  claim(held: HeldKey, fingerprint: string): Promise<KeyClaim>;
  /**
   * Keeps the answer, in the transaction that does what it tells of. False: somebody else has the key by now, and
   * that transaction must be rolled back.
   */
  answer(held: HeldKey, answer: string, options: { on: Transaction }): Promise<boolean>;
  /** Lets go of a key under which nothing was saved. Never of one that was answered, whatever its holder believes. */
  release(held: HeldKey): Promise<void>;
  /** Lets go of every key that was not answered. Only for who knows that no request is under way anywhere. */
  releaseAll(): Promise<void>;
}

export interface KeyTimes {
  /** How long a request may take before another one with its key takes over. */
  lockSeconds: number;
  /** How long an answer is replayed. */
  keepSeconds: number;
}

export const keyTimes: KeyTimes = {
  lockSeconds: 120, // a request is cut off after a minute, a provider's verdict takes half of one
  keepSeconds: 24 * 60 * 60,
};

const sweptMax = 100; // more than a claim adds, and too few to be felt

export function idempotencyStore(database: Database, times: KeyTimes = keyTimes): IdempotencyStore {
  const read = async ({ owner, key }: KeyOf, fingerprint: string, on?: Transaction) => {
    const [row] = await database.sql<KeyRow>(readSql, [owner, key], { on });
    return row ? claimOf(row, fingerprint) : null;
  };
  return {
    async claim(held, fingerprint) {
      const { owner, key, token } = held;
      const seen = await read(held, fingerprint);
      if (seen) return seen;
      return database.transaction<KeyClaim>(async (on) => {
        const { lockSeconds, keepSeconds } = times;
        const taken = await database.sql(
          takeSql,
          [owner, key, fingerprint, token, lockSeconds, keepSeconds],
          { on },
        );
        // Whoever was faster has committed, and its row is locked by the attempt to take it.
        if (taken.length === 0)
          return (
            (await read(held, fingerprint, on)) ?? {
              kind: 'in_flight',
              heldSeconds: 0,
              leftSeconds: lockSeconds,
            }
          );
        // After the key is ours, and past what others hold: it never waits, so no two claims wait for each other.
        await database.sql(sweepSql, [sweptMax], { on });
        return { kind: 'held' };
      });
    },
    async answer({ owner, key, token }, answer, { on }) {
      const rows = await database.sql(
        `update idempotency_keys set answer = to_jsonb($4::text)
         where owner = $1 and key = $2 and token = $3::uuid and answer is null returning key`,
        [owner, key, token, answer],
        { on },
      );
      return rows.length > 0;
    },
    async release({ owner, key, token }) {
      // A commit whose acknowledgement was lost looks like a failure here: its answer stays.
      await database.sql(
        'delete from idempotency_keys where owner = $1 and key = $2 and token = $3::uuid and answer is null',
        [owner, key, token],
      );
    },
    async releaseAll() {
      await database.sql('delete from idempotency_keys where answer is null');
    },
  };
}

interface KeyRow {
  fingerprint: string;
  answer: string | null;
  held_seconds: number;
  left_seconds: number;
}

/** Null: it can be taken, by whatever is asked, because nothing was saved under it. */
function claimOf(row: KeyRow, fingerprint: string): KeyClaim | null {
  const { answer, held_seconds: heldSeconds, left_seconds: leftSeconds } = row;
  if (answer === null && leftSeconds <= 0) return null;
  if (row.fingerprint !== fingerprint) return { kind: 'reused' };
  return answer === null ? { kind: 'in_flight', heldSeconds, leftSeconds } : { kind: 'answered', answer };
}

// The answer is text within jsonb: jsonb itself would reorder its keys, and it refuses characters that text may have.
const readSql = `
  select fingerprint, answer #>> '{}' as answer, extract(epoch from now() - created_at)::float8 as held_seconds,
    extract(epoch from locked_until - now())::float8 as left_seconds
  from idempotency_keys where owner = $1 and key = $2 and expires_at > now()`;

const takeSql = `
  insert into idempotency_keys as k (owner, key, fingerprint, token, locked_until, expires_at)
  values ($1, $2, $3, $4::uuid, now() + $5 * interval '1 second', now() + $6 * interval '1 second')
  on conflict (owner, key) do update set fingerprint = excluded.fingerprint, token = excluded.token,
    locked_until = excluded.locked_until, expires_at = excluded.expires_at, answer = null, created_at = now()
  where k.expires_at <= now() or (k.answer is null and k.locked_until <= now())
  returning k.key`;

const sweepSql = `
  delete from idempotency_keys where (owner, key) in (
    select owner, key from idempotency_keys where expires_at <= now() order by expires_at limit $1
    for update skip locked)`;
