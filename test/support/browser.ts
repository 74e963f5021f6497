import { existsSync } from 'node:fs';
import { arch, platform } from 'node:os';
import type { Browser } from 'playwright-core';
import { onTestFinished } from 'vitest';

/** Why no browser test can run here, or null. Chromium comes with the dev dependencies for Linux on x64 only. */
export const browserMissing: string | null =
  process.env.CHROME_PATH || (platform() === 'linux' && arch() === 'x64')
    ? null
    : 'expected CHROME_PATH to name a Chrome or Chromium, got: nothing';

/** A headless Chromium, closed with the test. */
export async function openBrowser(): Promise<Browser> {
  const { CHROME_PATH: path } = process.env;
  if (path && !existsSync(path)) throw new Error(`expected CHROME_PATH to name a browser, got: ${path}`);
  const [{ chromium }, { default: packaged }] = await Promise.all([
    import('playwright-core'),
    import('@sparticuz/chromium'),
  ]);
  const browser = await chromium.launch(
    path
      ? { executablePath: path }
      : { executablePath: await packaged.executablePath(), args: packaged.args },
  );
  onTestFinished(() => browser.close());
  return browser;
}
