import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const soaking = Boolean(process.env.SOAK);

// Each file has a process of its own, and each child that a test starts loads the same thousand modules: what they
// compile to is kept. Loading the whole service takes 0.8 s of a processor then, not 2.2 s.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules/.cache/compiled-for-tests');

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Processes, not threads: the tests kill children, lock directories and run WebAssembly that cannot be shared.
    pool: 'forks',
    // One more than there are processors, because tests of several nodes mostly wait for leases and restarts. A file that
    // opens PGlite holds about half a gigabyte.
    maxWorkers: Math.min(4, availableParallelism() + 1),
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/setup.ts'],
    // Ten times what the slowest test takes on a quiet machine: a busy one must not fail a test, nor all behind it.
    testTimeout: soaking ? 600_000 : 180_000,
    hookTimeout: 180_000, // the first file that needs a database waits for the template to be made
    sequence: { hooks: 'stack' },
  },
});
