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
 * Present and past states of actors. For operators only, because contexts, node names and provider URLs are internal.
 * Owners of portfolios find what concerns them in the job.
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
      'Each actor has its state value, its context without secrets, its children, the time it entered the state, and ' +
      'what it waits for. `source` is `live` if it was read from memory of the responding node (it may be ahead of ' +
      '`committed`), or `journal` if the actor is at rest, unclaimed, or on another node.',
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
    summary: 'The present or a past state of one actor',
    description:
      'With `at`: the state of a job’s actor after that transition, from the journal. A supervisor has no journal and ' +
      'no past states.',
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
    throw new AppError('transition_not_found', `${id} has no transition ${at} in the journal.`);
  });
}

function timelineRoute(app: Api, actors: Actors): void {
  const schema = {
    operationId: 'getTimeline',
    tags,
    summary: 'Everything that a job did',
    description:
      'Every transition with its attempt, and what the job did before it: each request to a provider (URL without ' +
      'secrets, status, milliseconds, bytes), each fallback to the next provider, and the number of statements that ' +
      'wrote to the database. These are committed with the transition. If the process dies, the records of the ' +
      'unfinished attempt are lost. A request shared by several jobs is in the timeline of the job that sent it.',
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
