import type { ActorRefFrom, SnapshotFrom } from 'xstate';
import { noNeeds } from './permits.ts';
import { supervisorSetup } from './supervisor-setup.ts';

export { room, type SupervisorContext, type SupervisorInput } from './permits.ts';

/*
 * The root actor of a node: it holds one child per claimed job and hands out the permits under which their phases
 * run. It knows no database: the claims actor, which the service provides, takes jobs from the queue for it.
 *
 * accepting invokes the claims actor and tells it how much room there is whenever that changes. `claim.taken`
 * spawns a child, whose id is its symbol; a child that still lives for the symbol is stopped first, and a claim
 * beyond `childrenMax` is refused aloud. Children ask for permits and give them back; free permits go to the
 * longest waiting, so never more than `concurrency` hold one. `drain`, or the end of the claims actor, ends it.
 * Between `pause` and `resume` no permit is granted and no room announced; what runs goes on to the end of its job,
 * because a job keeps its permit from phase to phase.
 *
 * Under a ceiling over all nodes the next in the queue gets a permit only with one of the cluster's. The ceiling
 * actor, which the service provides too, is told whenever it changes who needs one, holding it or asking for it, and
 * answers `ceiling.granted`; this node's own permit is kept for the asking meanwhile.
 *
 * draining takes no claims and grants no permits. On entry the children without a permit are stopped; those with
 * one have `grace` to bring their phase to an end, and are stopped as soon as they give it back. Another `drain`
 * sets another grace. It ends when no child is left, or when the grace is over. Stopping a child aborts its phase
 * and is no transition of the job: its row stays where it was, and whoever claims it next resumes it there. Permits of
 * the cluster go back as those that hold them end.
 *
 * drained is final; entering it stops whoever is left. Its output says whether a fault led here.
 *
 * `job.ended` says that a child's end is on its way to the journal: its permit goes to the next in the queue, whose first
 * transition is committed with that end or after it. A permit of the cluster is kept until the end is committed, because
 * another node's journal knows no such order.
 *
 * Everywhere: `job.settled` (the recorder has committed a child's end), `claim.lost` (another node has the job), a
 * child's end and a child's exception all have one effect: the child is stopped and its permit is free. So one
 * child's mistake harms neither its siblings nor the node. `job.cancel` is passed on to the child.
 */
export const supervisorMachine = supervisorSetup.createMachine({
  id: 'supervisor',
  context: ({ input }) => ({
    depth: input?.depth ?? 1,
    concurrency: input?.concurrency ?? 1,
    prefetch: input?.prefetch ?? 0,
    clusterConcurrency: input?.clusterConcurrency ?? null,
    childrenMax: input?.childrenMax ?? 1,
    children: [],
    permits: [],
    asking: [],
    waiting: [],
    paused: false,
    announcedRoom: null,
    needs: noNeeds,
    graceMs: 0,
    fault: null,
  }),
  initial: 'accepting',
  invoke: { id: 'ceiling', src: 'ceiling' },
  always: { guard: 'needsHaveChanged', actions: 'announceNeeds' },
  on: {
    'claim.lost': { actions: 'dismissChild' },
    'job.settled': { actions: 'dismissChild' },
    'xstate.done.actor.*': { actions: 'dismissChild' },
    'xstate.error.actor.*': { actions: 'dismissChild' },
    'job.cancel': { actions: 'forwardCancel' },
  },
  states: {
    accepting: {
      invoke: {
        id: 'claims',
        src: 'claims',
        onError: { target: 'draining', actions: { type: 'recordFault', params: { actor: 'claims' } } },
      },
      always: [
        { guard: 'canGrant', actions: 'grantPermits' },
        { guard: 'roomHasChanged', actions: 'announceRoom' },
      ],
      on: {
        'claim.taken': [{ guard: 'isFull', actions: 'refuseClaim' }, { actions: 'spawnJob' }],
        'permit.requested': { actions: 'queueForPermit' },
        'permit.released': { actions: 'takePermitBack' },
        'job.ended': { guard: 'isAlone', actions: 'takePermitBack' },
        'ceiling.granted': { actions: 'passPermitOn' },
        'xstate.error.actor.ceiling': {
          target: 'draining',
          actions: { type: 'recordFault', params: { actor: 'ceiling' } },
        },
        pause: { actions: 'pause' },
        resume: { actions: 'resume' },
        drain: { target: 'draining', actions: 'setGrace' },
      },
    },
    draining: {
      entry: 'dismissIdle',
      always: { guard: 'isEmpty', target: 'drained' },
      after: { grace: 'drained' },
      on: {
        'permit.requested': { actions: 'dismissChild' },
        'permit.released': { actions: 'dismissChild' },
        drain: { target: 'draining', reenter: true, actions: 'setGrace' },
      },
    },
    drained: { type: 'final', entry: 'dismissAll' },
  },
  output: ({ context }) => ({ fault: context.fault }),
  options: { maxIterations: 100 },
});

export type SupervisorActor = ActorRefFrom<typeof supervisorMachine>;
export type SupervisorSnapshot = SnapshotFrom<typeof supervisorMachine>;
