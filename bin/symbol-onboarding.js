#!/usr/bin/env node
// The launcher, in plain JavaScript for Node 20 and newer: finds the program, and a Node that can run it.
//
// In a clone the program is src/cli.ts, which Node 24 runs directly. In an installed package it is dist/src/cli.js,
// because Node does not strip types below node_modules. An older Node starts the one of the npm package `node`.
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
      `Node ${process.versions.node} is too old: Node ${nodeMajorMin} or newer is required. Use a newer Node, or install ` +
        'again without --ignore-scripts and --omit=optional to get the npm package `node`.\n',
    );
    process.exitCode = 1;
    return;
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  // Signals are forwarded to the program. It treats two equal signals within a moment as one.
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`Cannot run ${node}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}

/** The binary of the npm package `node`, or null if its install script did not run. */
function newerNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve('node/package.json');
    const binary = join(dirname(manifest), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(binary) ? binary : null;
  } catch {
    return null;
  }
}
