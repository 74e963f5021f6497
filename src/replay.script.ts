import { replayCommand } from './replay-job.ts';

process.exit(
  await replayCommand(process.argv.slice(2), process.env, (line) => process.stdout.write(`${line}\n`)),
);
