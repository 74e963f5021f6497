import { helpText } from './config/config.ts';
import { serve } from './serve.ts';

// `npm start`: like `symbol-onboarding serve`, with settings from the environment only.
const args = process.argv.slice(2);
if (args.includes('--help') || args.includes('-h')) process.stdout.write(`${helpText()}\n`);
else await serve(process.env);
