import fs from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PGlite, type PGliteOptions } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';

const ioError = 29; // EIO in WebAssembly's numbering: PostgreSQL then stops without acknowledging the commit

/** The part of Emscripten's file system that we use; the package has no types for it. */
interface NodeStream {
  node: unknown;
  /** The host's file descriptor; a directory has none. */
  nfd?: number;
}
interface NodeFileSystem {
  realPath(node: unknown): string;
  stream_ops: { fsync?: (stream: NodeStream) => number };
}

/**
 * PGlite options for a data directory whose commits survive power loss, not only the death of the process.
 *
 * PGlite starts PostgreSQL with fsync off, and its file system would ignore an fsync. With these options each commit is
 * flushed to the host's disk before it is acknowledged, directories included (1 to 7 ms on the disks we tried). The
 * default `wal_sync_method` (fdatasync) does not reach the file system at all.
 *
 *     new PGlite(durable('/var/lib/onboarding/pglite'))
 */
export function durable(dataDir: string): PGliteOptions {
  const startParams = PGlite.defaultStartParams.filter((parameter) => parameter !== '-F');
  return { fs: new DurableNodeFS(dataDir), startParams: [...startParams, '-c', 'wal_sync_method=fsync'] };
}

class DurableNodeFS extends NodeFS {
  override async init(...call: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(...call);
    return {
      emscriptenOpts: {
        ...emscriptenOpts,
        preRun: [
          ...(emscriptenOpts.preRun ?? []),
          (module) => {
            const { filesystems } = module.FS as unknown as { filesystems: { NODEFS: NodeFileSystem } };
            filesystems.NODEFS.stream_ops.fsync = (stream) => flush(filesystems.NODEFS, stream);
          },
        ],
      },
    };
  }
}

function flush(files: NodeFileSystem, stream: NodeStream): number {
  try {
    if (stream.nfd !== undefined) fs.fsyncSync(stream.nfd);
    else flushDirectory(files.realPath(stream.node));
    return 0;
  } catch {
    return ioError;
  }
}

function flushDirectory(path: string): void {
  const descriptor = fs.openSync(path, 'r');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Flushes everything below `directory`, then the directory, as initdb does when it ends. About 1000 files, 0.3 s. */
export async function flushTree(directory: string): Promise<void> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries) await flushPath(join(entry.parentPath, entry.name));
  await flushPath(directory);
}

/** Flushes one file or directory. A rename is durable once its directory is flushed. */
export async function flushPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
