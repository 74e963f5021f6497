import {
  type messages,
  type PGlite,
  parse,
  protocol,
  type QueryOptions,
  type Results,
} from '@electric-sql/pglite';

/** A statement that is parsed once per session under its name, in the form that `pg` accepts. */
export interface NamedStatement {
  name: string;
  text: string;
}

const { serialize } = protocol;

/**
 * Prepared statements, which PGlite does not offer: parsed and planned once, then run with one message where `query`
 * sends six. Reading one row took 0.55 ms with `query` and takes 0.15 ms with this (two busy cores).
 */
export class PreparedStatements {
  readonly #pglite: PGlite;
  readonly #parameterTypes = new Map<string, number[]>();

  constructor(pglite: PGlite) {
    this.#pglite = pglite;
  }

  /** The caller must hold the transaction mutex or be inside a transaction. */
  run<T>(statement: NamedStatement, parameters: unknown[] = [], options?: QueryOptions): Promise<Results<T>> {
    const pglite = this.#pglite;
    return pglite._runExclusiveQuery(async () => {
      const types = this.#parameterTypes.get(statement.name) ?? (await this.#prepare(statement));
      const values = parameters.map((parameter, index) => {
        if (parameter === null || parameter === undefined) return null;
        if (parameter instanceof Uint8Array) return parameter; // sent in binary format, as `pg` does
        const serializer = pglite.serializers[types[index]!];
        return serializer ? serializer(parameter) : String(parameter);
      });
      const messages = await this.#send(
        serialize.bind({ statement: statement.name, values }),
        serialize.describe({ type: 'P' }),
        serialize.execute({}),
        serialize.sync(),
      );
      return parse.parseResults(messages, parsersOfColumns(messages, pglite), options)[0] as Results<T>;
    });
  }

  async #prepare({ name, text }: NamedStatement): Promise<number[]> {
    const messages = await this.#send(
      serialize.parse({ name, text }),
      serialize.describe({ type: 'S', name }),
      serialize.sync(),
    );
    const types = parse.parseDescribeStatementResults(messages);
    this.#parameterTypes.set(name, types);
    return types;
  }

  // After an error PostgreSQL skips the rest of the message up to its sync, so the session works again for the next
  // one.
  #send(...messages: Uint8Array[]) {
    return this.#pglite.execProtocolStream(Buffer.concat(messages), { syncToFs: false });
  }
}

// PGlite copies the parsers it receives, and copying those of all types would take longer than a small statement.
function parsersOfColumns(messages: Parameters<typeof parse.parseResults>[0], { parsers }: PGlite) {
  const described = messages.find(({ name }) => name === 'rowDescription') as
    | messages.RowDescriptionMessage
    | undefined;
  return Object.fromEntries(
    (described?.fields ?? []).map(({ dataTypeID }) => [dataTypeID, parsers[dataTypeID]!]),
  );
}
