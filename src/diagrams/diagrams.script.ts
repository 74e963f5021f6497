import { readFileSync, writeFileSync } from 'node:fs';
import { jobMachine } from '../../machines/job.ts';
import { supervisorMachine } from '../../machines/supervisor.ts';
import { withDiagrams } from './diagram.ts';

// `npm run diagrams` redraws the statecharts in machines/README.md; a test fails if they differ from the machines.
const readme = new URL('../../machines/README.md', import.meta.url);
writeFileSync(readme, withDiagrams(readFileSync(readme, 'utf8'), [jobMachine, supervisorMachine]));
