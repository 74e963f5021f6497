import { replayCommand } from './replay.ts';

process.exit(
  await replayCommand(process.argv.slice(2), process.env, (line) => process.stdout.write(`${line}\n`)),
);
