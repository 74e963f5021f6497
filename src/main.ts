import { helpText } from './config/config.ts';
import { serve } from './serve.ts';

// `npm start`: the same as `symbol-onboarding serve`, with nothing but the environment to say how.
const args = process.argv.slice(2);
if (args.includes('--help') || args.includes('-h')) process.stdout.write(`${helpText()}\n`);
else await serve(process.env);
