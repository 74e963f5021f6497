import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { type Benchmark, isKept } from './support/benchmark.ts';
import { commit, machine } from './support/machine.ts';
import { verdict, writeResults } from './support/results.ts';

// `npm run bench` measures everything, `npm run bench -- NAME…` what is named. Ends with 1 where a promise is missed.

const suffix = '.bench.ts';
const names = globSync(`*${suffix}`, { cwd: import.meta.dirname })
  .map((file) => file.slice(0, -suffix.length))
  .sort();
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`expected one of ${names.join(', ')}, got: ${unknown.join(', ')}`);
  process.exit(2);
}

if (!existsSync(join(import.meta.dirname, 'node_modules'))) {
  const installed = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: import.meta.dirname,
    stdio: 'inherit',
  });
  if (installed.status !== 0) process.exit(installed.status ?? 1);
}

for (const name of asked.length > 0 ? asked : names) {
  const { default: benchmark } = (await import(`./${name}${suffix}`)) as { default: Benchmark };
  const measured = { on: machine(), at: commit() };
  console.log(`\n# ${name}: ${benchmark.title}`);
  const findings = await benchmark.run();
  writeResults(name, benchmark.title, findings, measured);
  console.log(`\n${findings.markdown}\n`);
  for (const promised of findings.promises) {
    console.log(verdict(promised));
    if (!isKept(promised)) process.exitCode = 1;
  }
}
