#!/usr/bin/env node
// Plain JavaScript, for any Node from 20 on: finds a Node that can run the program, and the program.
//
// In a clone the program is src/cli.ts, which Node 24 runs as it is. In an installed package it is dist/src/cli.js,
// because Node strips no types below node_modules. An older Node hands over to the one of the npm package `node`.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const nodeMajorMin = 24;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, 'src', 'cli.ts');
const program = existsSync(source) ? source : join(root, 'dist', 'src', 'cli.js');

if (Number(process.versions.node.split('.')[0]) >= nodeMajorMin) {
  const { main } = await import(pathToFileURL(program).href);
  await main(process.argv.slice(2));
} else {
  runNewerNode();
}

function runNewerNode() {
  const node = newerNode();
  if (node === null) {
    process.stderr.write(
      `Expected Node ${nodeMajorMin} or newer, got: ${process.versions.node}. The npm package \`node\` brings it; ` +
        'it was left out by --ignore-scripts or --omit=optional. Install again without, or run a newer Node.\n',
    );
    process.exitCode = 1;
    return;
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  // Whoever stops us means the program. It takes two of the same signal within a moment for one.
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`Could not run ${node}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}

/** The binary of the package `node`, or null where its install script has not put it there. */
function newerNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve('node/package.json');
    const binary = join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(binary) ? binary : null;
  } catch {
    return null;
  }
}
