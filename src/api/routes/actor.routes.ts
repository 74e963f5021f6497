import { z } from 'zod';
import {
  type ActorView,
  actorIdSchema,
  actorQuerySchema,
  actorSchema,
  actorsQuerySchema,
  actorsSchema,
  idSchema,
  timelineQuerySchema,
  timelineSchema,
} from '../../contract/schemas.ts';
import type { Actors } from '../../contract/service.ts';
import { AppError } from '../../kernel/errors.ts';
import { onlyOperators } from '../access/role.guards.ts';
import type { Api } from '../http/fastify.types.ts';
import { actorLinks, jobLinks } from '../http/links.ts';
import { responses } from '../problems/declared-responses.ts';

const tags = ['operations'];
const onRequest = onlyOperators;

/**
 * Actors as they are and as they were. For operators: contexts, nodes and the provider's addresses are matters of the
 * house; what concerns the owner of a portfolio is in the job itself.
 */
export function actorRoutes(app: Api, actors: Actors): void {
  actorsRoute(app, actors);
  actorRoute(app, actors);
  timelineRoute(app, actors);
}

function actorsRoute(app: Api, actors: Actors): void {
  const schema = {
    operationId: 'listActors',
    tags,
    summary: 'The supervisor and the actors of jobs',
    description:
      'Each with its state value, its context without secrets, its children, since when it is there and what it ' +
      'waits for. `source` says whether that was read from the actor in memory (`live`: it lives on the node that ' +
      'answers, and may be ahead of `committed`) or from the journal (it is at rest, unclaimed, or on another node).',
    querystring: actorsQuerySchema,
    response: responses({ 200: actorsSchema }, ['operators_only']),
  };
  app.get('/onboarding/actors', { schema, onRequest, config: { fresh: true } }, async ({ query }) => {
    const found = await actors.list(query);
    return { ...found, supervisor: linked(found.supervisor), actors: found.actors.map(linked) };
  });
}

function actorRoute(app: Api, actors: Actors): void {
  const schema = {
    operationId: 'getActor',
    tags,
    summary: 'One actor, as it is or as it was',
    description:
      'With `at`, the actor of a job as it was after that transition, from the journal. A supervisor keeps no ' +
      'journal and has no past.',
    params: z.strictObject({ id: actorIdSchema }),
    querystring: actorQuerySchema,
    response: responses({ 200: actorSchema }, ['operators_only', 'job_not_found', 'transition_not_found']),
  };
  app.get('/onboarding/actors/:id', { schema, onRequest, config: { fresh: true } }, async (request) => {
    const { id } = request.params;
    const { at } = request.query;
    const actor = await actors.find(id);
    if (actor === null) throw noSuchJob(id);
    if (at === undefined) return linked(actor);
    const then = actor.kind === 'job' ? await actors.findAt(id, at) : null;
    if (then !== null) return linked(then);
    throw new AppError('transition_not_found', `There is no transition ${at} of ${id} in the journal.`);
  });
}

function timelineRoute(app: Api, actors: Actors): void {
  const schema = {
    operationId: 'getTimeline',
    tags,
    summary: 'All that a job did',
    description:
      'Every transition with its attempt, and what was done in the state that it left: each request to a provider ' +
      '(URL without secrets, status, milliseconds, bytes), each fallback to the next provider, and how many ' +
      'statements wrote to the database. They are committed with the transition, so they survive what the job ' +
      'survives; what an attempt did that died with its process is lost with it. Requests whose answers several jobs ' +
      'share are in the timeline of the job that sent them.',
    params: z.strictObject({ id: idSchema }),
    querystring: timelineQuerySchema,
    response: responses({ 200: timelineSchema }, ['operators_only', 'job_not_found']),
  };
  app.get('/onboarding/jobs/:id/timeline', { schema, onRequest }, async ({ params: { id }, query }) => {
    const timeline = await actors.timeline(id, query);
    if (timeline === null) throw noSuchJob(id);
    return { ...timeline, links: jobLinks(timeline) };
  });
}

const linked = (actor: ActorView) => ({ ...actor, links: actorLinks(actor) });

const noSuchJob = (id: string) => new AppError('job_not_found', `There is no job ${id}.`);
