import { randomBytes } from 'node:crypto';
import { tokenEntry } from './tokens.ts';

const [name = '', role = 'user'] = process.argv.slice(2);
const token = randomBytes(32).toString('base64url');
try {
  const entry = tokenEntry({ name, role, token });
  process.stdout.write(`Token (for ${name} only): ${token}\nEntry for AUTH_TOKENS: ${entry}\n`);
} catch (error) {
  process.stderr.write(`Usage: npm run token -- NAME user|operator\n${(error as Error).message}\n`);
  process.exitCode = 2;
}
