import { helpText } from './config/config.ts';
import { serve } from './serve.ts';

// `npm start`: the same as `symbol-onboarding serve`, with nothing but the environment to say how.
const asked = process.argv.slice(2);
if (asked.includes('--help') || asked.includes('-h')) process.stdout.write(`${helpText()}\n`);
else await serve(process.env);
