import type { ActorRefFrom, SnapshotFrom } from 'xstate';
import { noNeeds } from './permits.ts';
import { supervisorSetup } from './supervisor-setup.ts';

export { room, type SupervisorContext, type SupervisorInput } from './permits.ts';

/*
 * The root actor of a node. It has one child per claimed job and grants the permits under which their phases run. It
 * uses no database: the claims actor, which the service provides, claims jobs from the queue.
 *
 * accepting invokes the claims actor and sends it the room whenever that changes. `claim.taken` spawns a child, whose id
 * is its symbol. A child that still lives for the symbol is stopped first. A claim beyond `childrenMax` is refused with
 * `claim.refused`. Children request and release permits. Free permits go to the longest-waiting children, so at most
 * `concurrency` children hold one. `drain`, or the end of the claims or the ceiling actor, ends this state. Between
 * `pause` and `resume` no permit is granted and the room is 0. Running jobs continue to their end, because a job keeps
 * its permit from phase to phase.
 *
 * With a ceiling over all nodes, a child also needs a permit of the cluster. The supervisor sends the ceiling actor,
 * which the service provides too, every change of the children that hold or request one; it answers `ceiling.granted`.
 * Until then a permit of this node stays reserved for the requesting child.
 *
 * draining takes no claims and grants no permits. On entry, children without a permit are stopped. The others have
 * `grace` to finish their phase and are stopped when they release their permit. Another `drain` sets another grace
 * period. It ends when no child is left or when the grace period is over. Stopping a child aborts its phase and is not
 * a transition of the job: its row does not change, and the next node that claims the job resumes it there. Permits of
 * the cluster are released when the jobs that hold them end.
 *
 * drained is final. Its entry stops all remaining children. Its output has the fault, if one led here.
 *
 * `job.ended` means that the end of a job is queued for the journal. Its permit then goes to the next child in the
 * queue, whose first transition is committed with that end or after it. A permit of the cluster is kept until the end
 * is committed, because the journal does not order commits of different nodes.
 *
 * In every state, `job.settled` (the recorder has committed a child's end), `claim.lost` (another node has the job), the
 * end of a child and an exception in a child have the same effect: the child is stopped and its permit is free. So a bug
 * in one child harms neither its siblings nor the node. `job.cancel` is forwarded to the child.
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
