import { readFileSync, writeFileSync } from 'node:fs';
import { jobMachine } from '../../machines/job.ts';
import { supervisorMachine } from '../../machines/supervisor.ts';
import { withDiagrams } from './diagram.ts';

// `npm run diagrams` draws the statecharts in README.md anew; a test fails while they differ from the machines.
const readme = new URL('../../machines/README.md', import.meta.url);
writeFileSync(readme, withDiagrams(readFileSync(readme, 'utf8'), [jobMachine, supervisorMachine]));
