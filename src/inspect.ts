import { spawn } from 'node:child_process';
import { platform } from 'node:os';
import { serve } from './serve.ts';

// `npm run inspect`: the service with its inspector, and the page of it in a browser, where there is one.
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

/** The program that opens a page, or null where nobody would see it. */
function openerOf({ BROWSER, CI, DISPLAY, WAYLAND_DISPLAY }: NodeJS.ProcessEnv): string[] | null {
  if (BROWSER === 'none' || CI) return null;
  if (BROWSER) return [BROWSER];
  if (platform() === 'darwin') return ['open'];
  if (platform() === 'win32') return ['explorer'];
  return DISPLAY || WAYLAND_DISPLAY ? ['xdg-open'] : null;
}

/** The page has been told of: a browser that does not open is no failure. */
function open([program = '', ...rest]: string[], page: string): void {
  const child = spawn(program, [...rest, page], { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  child.unref();
}
