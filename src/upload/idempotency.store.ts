import type { Database, Transaction } from '../database/database.orm.ts';

/** A key is unique per owner. */
export interface KeyOf {
  owner: string;
  key: string;
}

/** A key that this request holds, with a token that no other request has (fencing token). */
export interface HeldKey extends KeyOf {
  token: string;
}

export type KeyClaim =
  /** This request holds it and must call `answer` or `release`. */
  | { kind: 'held' }
  /** Another request has held it for `heldSeconds`; its lock expires in `leftSeconds`. */
  | { kind: 'in_flight'; heldSeconds: number; leftSeconds: number }
  /** It was used for another upload. */
  | { kind: 'reused' }
  /** The upload was saved before, with this response. */
  | { kind: 'answered'; answer: string };

export interface IdempotencyStore {
  /**
   * Takes a key that is new or expired, or whose lock has expired. A short transaction of its own. Keys that are held or
   * answered are only read, so no request waits for an upload.
   */
  claim(held: HeldKey, fingerprint: string): Promise<KeyClaim>;
  /**
   * Stores the response, in the transaction that saves the upload. False: another request has taken the key over, and the
   * transaction must be rolled back.
   */
  answer(held: HeldKey, answer: string, options: { on: Transaction }): Promise<boolean>;
  /** Releases a key without a response. Keys with a response are kept. */
  release(held: HeldKey): Promise<void>;
  /** Releases all keys without a response. Only safe if no request is in progress on any node. */
  releaseAll(): Promise<void>;
}

export interface KeyTimes {
  /** How long a request may hold a key before another may take it over. */
  lockSeconds: number;
  /** How long a response is replayed. */
  keepSeconds: number;
}

export const keyTimes: KeyTimes = {
  lockSeconds: 120, // a request times out after a minute, the provider's verdict after half a minute
  keepSeconds: 24 * 60 * 60,
};

const sweptMax = 100; // more than a claim adds, few enough to be fast

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
        // The faster request has committed; our attempt to take the row has locked it.
        if (taken.length === 0)
          return (
            (await read(held, fingerprint, on)) ?? {
              kind: 'in_flight',
              heldSeconds: 0,
              leftSeconds: lockSeconds,
            }
          );
        // Skips locked rows, so two claims cannot deadlock.
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
      // If the acknowledgement of a commit was lost, this looks like a failure; the stored response is kept.
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

/** Null: the key can be taken for any upload, because nothing was saved with it. */
function claimOf(row: KeyRow, fingerprint: string): KeyClaim | null {
  const { answer, held_seconds: heldSeconds, left_seconds: leftSeconds } = row;
  if (answer === null && leftSeconds <= 0) return null;
  if (row.fingerprint !== fingerprint) return { kind: 'reused' };
  return answer === null ? { kind: 'in_flight', heldSeconds, leftSeconds } : { kind: 'answered', answer };
}

// The response is text within jsonb: jsonb itself would reorder keys, and rejects some characters.
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
