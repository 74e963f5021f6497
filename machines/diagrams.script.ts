import { readFileSync, writeFileSync } from 'node:fs';
import { withDiagrams } from './diagram.ts';
import { jobMachine } from './job.ts';
import { supervisorMachine } from './supervisor.ts';

// `npm run diagrams` draws the statecharts in README.md anew; a test fails while they differ from the machines.
const readme = new URL('README.md', import.meta.url);
writeFileSync(readme, withDiagrams(readFileSync(readme, 'utf8'), [jobMachine, supervisorMachine]));
