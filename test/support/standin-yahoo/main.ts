import { parseArgs } from 'node:util';
import { standinFaultKinds } from './faults.ts';
import { startStandinYahoo } from './server.ts';

// npm run standin-yahoo -- --seed 1 --port 4500 --consent
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    port: { type: 'string', default: '0' },
    consent: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const port = Number(values.port);
if (!Number.isSafeInteger(seed)) throw new Error(`expected --seed to be a whole number, got: ${values.seed}`);
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  throw new Error(`expected --port to be 0 to 65535, got: ${values.port}`);
}

const yahoo = await startStandinYahoo({ seed, port, consent: values.consent });
console.log(`A stand-in for Yahoo Finance: the simulated market with seed ${seed}. Its prices are not real.

  YAHOO_BASE_URL=${yahoo.url} npm start

  curl ${yahoo.url}/__control/requests                 what was asked; -X DELETE forgets it
  curl ${yahoo.url}/__control/counts                   how often what was asked
  curl -X PUT ${yahoo.url}/__control/faults -d '{"match": "/chart/AAPL", "kind": "429", "count": 2, "retryAfter": 5}'
  curl -X DELETE ${yahoo.url}/__control/faults         back to normal
  curl -X POST ${yahoo.url}/__control/crumb            the crumb is rotated
  curl -X PUT ${yahoo.url}/__control/consent           consent is asked for, as in the EU; -X DELETE no more

A fault's match is a regular expression over host, path and query; its kind one of ${standinFaultKinds.join(', ')}.
`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => yahoo.close());
