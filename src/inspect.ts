import { spawn } from 'node:child_process';
import { platform } from 'node:os';
import { serve } from './serve.ts';

// `npm run inspect`: runs the service with the inspector, and opens its page in a browser, if there is one.
await serve(
  { ...process.env, INSPECTOR: 'on' },
  {
    onListening(url) {
      const page = `${url}/inspector`;
      process.stdout.write(`The inspector is at ${page}\n`);
      const opener = openerOf(process.env);
      if (opener) open(opener, page);
    },
  },
);

/** The program that opens a page, or null without a screen. */
function openerOf({ BROWSER, CI, DISPLAY, WAYLAND_DISPLAY }: NodeJS.ProcessEnv): string[] | null {
  if (BROWSER === 'none' || CI) return null;
  if (BROWSER) return [BROWSER];
  if (platform() === 'darwin') return ['open'];
  if (platform() === 'win32') return ['explorer'];
  return DISPLAY || WAYLAND_DISPLAY ? ['xdg-open'] : null;
}

/** Failures are ignored: the URL of the page has been printed. */
function open([program = '', ...rest]: string[], page: string): void {
  const child = spawn(program, [...rest, page], { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  child.unref();
}
