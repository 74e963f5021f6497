import Fastify from 'fastify';

// Fastify with one route and a static answer of that many bytes: what a route of the service is held against.
const [bytes] = process.argv.slice(2);
const answer = JSON.stringify({ filler: 'x'.repeat(Number(bytes) - '{"filler":""}'.length) });
const app = Fastify();
app.get('/symbols/:symbol/status', (_request, reply) => {
  reply.type('application/json; charset=utf-8').send(answer);
});
process.on('SIGTERM', () => process.exit());
console.log(await app.listen({ host: '127.0.0.1', port: 0 }));
