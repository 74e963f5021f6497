import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { isWellFormed, normalSpelling } from '../normalise-symbol.ts';
import { FileProblem, type FileRow } from './file-cells.ts';
import { type InstrumentsFile, instrumentsFileReader, noInstruments } from './instruments-file.ts';
import { type PriceFile, priceFileReader } from './price-file.ts';
import { type WideFile, wideFileReader } from './wide-price-file.ts';

/** The content of the directory at one moment. File names come from the listing, never from a symbol. */
export interface DirectoryListing {
  /** The file of each symbol that has one, or the problem of two files for one symbol. */
  files: ReadonlyMap<string, string | FileProblem>;
  /** Closes of many symbols, and their adjusted closes; null without such a file. */
  wide: WideFile | null;
  adjusted: WideFile | null;
  instruments: InstrumentsFile;
}

export interface PriceDirectory {
  /** Throws a `FileProblem`, or an error of the file system. */
  list(): Promise<DirectoryListing>;
  read(file: string, signal?: AbortSignal): Promise<PriceFile>;
}

const names = { wide: 'prices', adjusted: 'adjusted', instruments: 'instruments' } as const;
const extension = /\.csv(\.gz)?$/i;
const bytesMax = 256 * 1024 * 1024; // uncompressed: a larger file is a mistake or a decompression bomb
const recordMax = 8 * 1024 * 1024; // characters of a row: an unclosed quote must not swallow the whole file

interface Reader<Content> {
  add(row: FileRow): void;
  end(): Content;
}

/**
 * A directory of CSV files, plain or gzipped: `AAPL.csv`, `BRK-B.csv.gz`, and in lower case `prices.csv` (many
 * symbols), `adjusted.csv` (their adjusted closes) and `instruments.csv`. The files for many symbols are cached and
 * read again when they change. Names may be percent-encoded: `%5EGSPC.csv`. Subdirectories are ignored.
 */
export function priceDirectory(directory: string): PriceDirectory {
  const wide = cachedFile(directory, wideFileReader);
  const adjusted = cachedFile(directory, wideFileReader);
  const instruments = cachedFile(directory, instrumentsFileReader);
  return {
    async list() {
      const entries = await readdir(directory, { withFileTypes: true });
      const found = entries
        .filter((entry) => !entry.isDirectory() && extension.test(entry.name))
        .map(({ name }) => ({ name, stem: name.replace(extension, '') }));
      const named = (stem: string) => found.find((one) => one.stem === stem)?.name;
      const shared: readonly string[] = Object.values(names);
      return {
        files: filesBySymbol(found.filter(({ stem }) => !shared.includes(stem))),
        wide: await wide(named(names.wide)),
        adjusted: await adjusted(named(names.adjusted)),
        instruments: (await instruments(named(names.instruments))) ?? noInstruments,
      };
    },
    read: (file, signal) => readWhole(directory, file, priceFileReader(file), signal),
  };
}

function filesBySymbol(found: readonly { name: string; stem: string }[]): Map<string, string | FileProblem> {
  const files = new Map<string, string | FileProblem>();
  for (const { name, stem } of found) {
    const symbol = normalSpelling(decoded(stem));
    if (!isWellFormed(symbol)) continue; // not a price file
    const other = files.get(symbol);
    const isDuplicate = typeof other === 'string';
    files.set(
      symbol,
      isDuplicate ? new FileProblem(name, 1, `one file for ${symbol}`, other) : (other ?? name),
    );
  }
  return files;
}

function decoded(stem: string): string {
  try {
    return decodeURIComponent(stem);
  } catch {
    return stem;
  }
}

/** Caches the content of a file until the file changes. A failed read is not cached. */
function cachedFile<Content>(directory: string, reader: (file: string) => Reader<Content>) {
  let known: { version: string; content: Promise<Content> } | null = null;
  return async (file: string | undefined): Promise<Content | null> => {
    if (file === undefined) return null;
    const { size, mtimeMs, ino } = await stat(join(directory, file));
    const version = `${file} ${ino} ${size} ${mtimeMs}`;
    if (known?.version !== version) {
      const content = readWhole(directory, file, reader(file));
      const reading = { version, content };
      known = reading;
      content.catch(() => {
        if (known === reading) known = null;
      });
    }
    return known.content;
  };
}

async function readWhole<Content>(
  directory: string,
  file: string,
  { add, end }: Reader<Content>,
  signal?: AbortSignal,
): Promise<Content> {
  const source = createReadStream(join(directory, file));
  const parser = parse({
    bom: true,
    comment: '#',
    comment_no_infix: true,
    info: true,
    max_record_size: recordMax,
    relax_column_count: true,
    skip_empty_lines: true,
    trim: true,
  });
  const consume = async (
    records: AsyncIterable<{ record: string[]; info: { lines: number; bytes: number } }>,
  ) => {
    for await (const { record, info } of records) {
      if (info.bytes > bytesMax) throw new FileProblem(file, info.lines, `at most ${bytesMax} bytes`, 'more');
      add({ line: info.lines, cells: record });
    }
  };
  try {
    const options = signal ? { signal } : {};
    if (/\.gz$/i.test(file)) await pipeline(source, createGunzip(), parser, consume, options);
    else await pipeline(source, parser, consume, options);
  } catch (error) {
    signal?.throwIfAborted();
    throw unreadable(file, error);
  }
  return end();
}

/** Invalid CSV or gzip is a `FileProblem`; other errors come from the file system. */
function unreadable(file: string, error: unknown): unknown {
  const { code = '', lines = 1, message = '' } = error as { code?: string; lines?: number; message?: string };
  if (code.startsWith('CSV_')) return new FileProblem(file, lines, 'well-formed CSV', message);
  if (code.startsWith('Z_')) return new FileProblem(file, 1, 'a whole gzip file', message);
  return error;
}
