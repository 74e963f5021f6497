import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import type { Inspection } from '../../contract/service.ts';
import type { Api } from '../http/fastify.types.ts';
import { refuseWithout } from './inspector.socket.ts';
import { inspectorPage, inspectorPolicy } from './inspector-page.ts';

// The page and its script are not part of the API; `/ws/inspect` is.
const schema = { hide: true };

/**
 * `/inspector`: a page that embeds the hosted Stately inspector and connects it to `/ws/inspect`. It contains no data, so
 * it is public; the data comes over the WebSocket, which is for operators.
 */
export function inspectorRoutes(app: Api, inspection: Inspection | null): void {
  const onRequest = refuseWithout(inspection);
  app.get(
    '/inspector',
    { schema, onRequest, config: { public: true, produces: ['text/html'], csp: inspectorPolicy } },
    async (_request, reply) => reply.type('text/html; charset=utf-8').send(inspectorPage),
  );
  app.get(
    '/inspector/bridge.js',
    { schema, onRequest, config: { public: true, produces: ['text/javascript'] } },
    async (_request, reply) => reply.type('text/javascript; charset=utf-8').send(bridge()),
  );
}

let read: string | null = null;

/** Strips types once; in the published package there are none. */
function bridge(): string {
  if (read !== null) return read;
  const isTyped = import.meta.filename.endsWith('.ts');
  const file = join(import.meta.dirname, `./bridge.browser.${isTyped ? 'ts' : 'js'}`);
  const source = readFileSync(file, 'utf8');
  read = isTyped ? withoutWarnings(() => stripTypeScriptTypes(source)) : source;
  return read;
}

/** `stripTypeScriptTypes` emits an experimental warning, which is useless in an operator's log. */
function withoutWarnings<T>(work: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return work();
  } finally {
    process.emitWarning = emitWarning;
  }
}
