import { AsyncResource } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { PGlite, type PGliteOptions, type Transaction, types } from '@electric-sql/pglite';
import { type NamedStatement, PreparedStatements } from './prepared.pglite.ts';

const asText = (text: string) => text;

// What MikroORM's pg driver hands over, PGlite must hand over too: stores then see one kind of row.
const parsers = {
  [types.DATE]: asText,
  [types.TIMESTAMP]: asText,
  [types.TIMESTAMPTZ]: asText,
  [types.INTERVAL]: asText,
  [types.INT8]: asText,
};

type Query = PGlite['query'];
type Exec = PGlite['exec'];
type Listen = PGlite['listen'];
type Stream = PGlite['execProtocolStream'];

const terminate = 'X'.charCodeAt(0); // the message that closes a connection

/**
 * PGlite as a good neighbour of everything else in the process.
 *
 * - It lets the event loop turn before each statement. PGlite is synchronous WebAssembly behind microtasks: 1000
 *   awaited queries in a row let not one timer fire, so heartbeats, HTTP and live updates froze. With the turn, 226
 *   fired in the same second, and throughput did not change measurably (4 rounds each way).
 * - A block that opens its own transaction (`exec('BEGIN; …; COMMIT')`) fails alone. PGlite has one connection: left
 *   aborted, it answered 25P02 to whoever asked next.
 * - A PANIC is the end: a disk that refuses to flush the log, or has no room for it. The backend behind the connection is
 *   gone, and the next message to it span forever and took the process along. Now whoever comes next is told the same,
 *   and `onPanic` once: the process should end, for a new one recovers from the log.
 * - A listener runs in the async context it subscribed in, not in the transaction whose commit happened to notify it.
 */
export class YieldingPGlite extends PGlite {
  #panic: Error | undefined;

  readonly #prepared = new PreparedStatements(this);
  readonly #onPanic: (error: Error) => void;

  constructor(options: PGliteOptions, onPanic: (error: Error) => void = () => {}) {
    super({ parsers, ...options });
    this.#onPanic = onPanic;
  }

  // PGlite copies the parsers of all types for each answer, those of BEGIN and COMMIT too. Two thirds are for arrays of the
  // rows of tables, which nobody reads. Without them a prepared statement takes 0.19 ms of processor time, not 0.26.
  override async _initArrayTypes(options?: { force?: boolean }): Promise<void> {
    await super._initArrayTypes(options);
    const { rows } = await this.query<{ typarray: number }>(
      `select typarray from pg_type where typtype = 'c' and typarray <> 0`,
    );
    for (const { typarray } of rows) {
      delete this.parsers[typarray];
      delete this.serializers[typarray];
    }
  }

  /** Runs a `NamedStatement` in place of a text as a prepared statement. */
  override async query<T>(...call: Parameters<Query>): ReturnType<typeof PGlite.prototype.query<T>> {
    await nextTurn();
    const statement = namedIn(call);
    if (!statement) return super.query<T>(...call);
    await this._checkReady();
    return this._runExclusiveTransaction(async () => {
      const results = await this.#prepared.run<T>(statement, call[1], call[2]);
      await this.syncToFs();
      return results;
    });
  }

  override async exec(...call: Parameters<Exec>): ReturnType<Exec> {
    await nextTurn();
    const opensTransaction = /^\s*BEGIN\b/i.test(call[0]);
    return opensTransaction ? super.transaction((tx) => tx.exec(...call)) : super.exec(...call);
  }

  override async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    await nextTurn();
    // Kysely waits for ever for a transaction whose BEGIN fails, so this one begins, and is refused all else.
    if (this.#panic) return work(refusing(this.#panic));
    return super.transaction((tx) => work(yielding(tx, this.#prepared)));
  }

  override async execProtocolStream(...call: Parameters<Stream>): ReturnType<Stream> {
    try {
      return await super.execProtocolStream(...call);
    } catch (error) {
      if (endsTheBackend(error) && !this.#panic) {
        this.#panic = error;
        this.#onPanic(error);
      }
      throw error;
    }
  }

  override execProtocolRawSync(message: Uint8Array): Uint8Array {
    if (this.#panic && message[0] !== terminate) throw this.#panic;
    return super.execProtocolRawSync(message);
  }

  override async listen(channel: string, listener: (payload: string) => void, tx?: Transaction) {
    return super.listen(channel, AsyncResource.bind(listener) as Parameters<Listen>[1], tx);
  }
}

const endsTheBackend = (error: unknown): error is Error =>
  error instanceof Error && /^(PANIC|FATAL)$/.test(String((error as { severity?: string }).severity));

// Kysely hands on what it was given as the text, whatever it is.
const namedIn = ([text]: Parameters<Query>): NamedStatement | null =>
  typeof text === 'string' ? null : (text as unknown as NamedStatement);

function refusing(error: Error): Transaction {
  const refuse = () => Promise.reject(error);
  return { query: refuse, sql: refuse, exec: refuse, rollback: refuse, listen: refuse, closed: false };
}

function yielding(tx: Transaction, prepared: PreparedStatements): Transaction {
  return Object.assign(Object.create(tx), {
    query: async (...call: Parameters<Query>) => {
      await nextTurn();
      const statement = namedIn(call);
      if (!statement) return tx.query(...call);
      if (tx.closed) throw new Error('Transaction is closed');
      return prepared.run(statement, call[1], call[2]);
    },
    exec: async (...call: Parameters<Exec>) => {
      await nextTurn();
      return tx.exec(...call);
    },
  });
}
