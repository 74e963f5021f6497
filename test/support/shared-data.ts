import { existsSync, readFileSync } from 'node:fs';

/**
 * Real data for local use, kept beside the repository because its source has no licence. Tests that read it say
 * "(real data, outside the repository)" in their title and are skipped where the folder is absent.
 */
const folder = new URL('../../../shared/data/', import.meta.url);

export const hasSharedData = (path: string): boolean => existsSync(new URL(path, folder));

export const readSharedJson = <T>(path: string): T =>
  JSON.parse(readFileSync(new URL(path, folder), 'utf8')) as T;

export const readSharedText = (path: string): string => readFileSync(new URL(path, folder), 'utf8');
