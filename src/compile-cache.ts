import { enableCompileCache } from 'node:module';
import { join } from 'node:path';

/**
 * Keeps what the modules loaded from now on compile to, for the next start.
 *
 * A start loads about 1,000 modules; with this it takes 2.5 s of a processor instead of 3.2 s (medians of four, side
 * by side). The directory is our own, not the shared one for temporary files, where others could leave us code. Where
 * it cannot be written nothing is kept.
 */
export function keepCompiled(): void {
  enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/compiled'));
}
