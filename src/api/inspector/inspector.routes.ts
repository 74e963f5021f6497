import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import type { Inspection } from '../../contract/service.ts';
import type { Api } from '../http/fastify.types.ts';
import { refuseWithout } from './inspector.socket.ts';
import { inspectorPage, inspectorPolicy } from './inspector-page.ts';

// A page and its script are no part of the API: `/ws/inspect` is.
const schema = { hide: true };

/**
 * `/inspector`: a page that embeds the hosted Stately inspector and bridges `/ws/inspect` to it. It holds no data, so
 * anybody may load it; what it shows comes over the socket, which is for operators.
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

/** Types are stripped once; in the package there are none left. */
function bridge(): string {
  if (read !== null) return read;
  const isTyped = import.meta.filename.endsWith('.ts');
  const file = join(import.meta.dirname, `./bridge.browser.${isTyped ? 'ts' : 'js'}`);
  const source = readFileSync(file, 'utf8');
  read = isTyped ? withoutWarnings(() => stripTypeScriptTypes(source)) : source;
  return read;
}

/** Node strips types by default, and yet warns whoever asks it to: an operator's log has no use for that. */
function withoutWarnings<T>(work: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return work();
  } finally {
    process.emitWarning = emitWarning;
  }
}
