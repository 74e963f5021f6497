import {
  assign,
  type DoneActorEvent,
  type ErrorActorEvent,
  enqueueActions,
  fromCallback,
  setup,
} from 'xstate';
import { jobMachine } from './job.ts';
import {
  areSameNeeds,
  childOf,
  isLow,
  needsOf,
  nextHolders,
  noNeeds,
  room,
  type SupervisorContext,
  type SupervisorInput,
  withChild,
  withoutChild,
  withoutPermit,
} from './permits.ts';
import { asksAtOnce } from './progress.ts';
import type { CeilingEvent, ChildAddress, ClaimsEvent, SupervisorEvent } from './protocol.ts';

type ChildEvent = DoneActorEvent | ErrorActorEvent;

const claimsActor = fromCallback<ClaimsEvent>(() => {
  throw new Error('No claims actor was provided. The service provides it in src/app.ts.');
});
// Without a ceiling it gets no requests, so it does nothing.
const ceilingActor = fromCallback<CeilingEvent>(() => {});

const timeoutMaxMs = 2 ** 31 - 1; // a longer `after` fires immediately
const faultGraceMs = 10_000; // for running phases, because no operator set a grace period

/** The child that an event is about. */
function addressIn(event: SupervisorEvent | ChildEvent): ChildAddress {
  if (event.type === 'claim.taken') return event.claim;
  if ('symbol' in event) return event;
  return { symbol: 'actorId' in event ? event.actorId : '' };
}

/** The implementation of the guards and actions that the supervisor's statechart names. The service provides the actors. */
export const supervisorSetup = setup({
  types: {
    context: {} as SupervisorContext,
    events: {} as SupervisorEvent | ChildEvent,
    input: {} as SupervisorInput,
    output: {} as { fault: string | null },
    children: {} as { claims: 'claims'; ceiling: 'ceiling' } & Record<string, 'job'>,
  },
  actors: { claims: claimsActor, ceiling: ceilingActor, job: jobMachine },
  delays: { grace: ({ context }) => Math.min(Math.max(0, context.graceMs), timeoutMaxMs) },
  guards: {
    canGrant: ({ context }) => nextHolders(context).length > 0,
    roomHasChanged: ({ context }) => room(context) !== context.announcedRoom,
    needsHaveChanged: ({ context }) => !areSameNeeds(needsOf(context), context.needs),
    isFull: ({ context, event }) =>
      context.children.length >= context.childrenMax &&
      !childOf(context, { symbol: addressIn(event).symbol }),
    isEmpty: ({ context }) => context.children.length === 0,
    isAlone: ({ context }) => context.clusterConcurrency === null,
  },
  actions: {
    spawnJob: enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'claim.taken') return;
      const { claim, progress, limits } = event;
      const { symbol } = claim;
      if (childOf(context, { symbol })) enqueue.stopChild(symbol);
      enqueue.spawnChild('job', { id: symbol, input: { claim, progress, limits } });
      enqueue.assign(withChild(withoutChild(context, symbol), claim, { asks: asksAtOnce(progress, limits) }));
    }),
    refuseClaim: enqueueActions(({ event, enqueue }) => {
      if (event.type === 'claim.taken')
        enqueue.sendTo('claims', { type: 'claim.refused', claim: event.claim });
    }),
    queueForPermit: assign(({ context, event }) => {
      const symbol = childOf(context, addressIn(event))?.symbol;
      // A new child counts as waiting from its spawn on, so it may already hold a permit when its request arrives.
      const { permits, asking, waiting } = context;
      const counted = symbol === undefined || [...permits, ...asking, ...waiting].includes(symbol);
      return counted ? {} : { waiting: [...context.waiting, symbol] };
    }),
    takePermitBack: assign(({ context, event }) => {
      const child = childOf(context, addressIn(event));
      return child ? withoutPermit(context, child.symbol) : {};
    }),
    grantPermits: enqueueActions(({ context, enqueue }) => {
      const { clusterConcurrency, permits, asking } = context;
      const holders = nextHolders(context);
      const waiting = context.waiting.filter((symbol) => !holders.includes(symbol));
      // They also need a permit of the cluster. Until then a permit of this node stays reserved for them.
      if (clusterConcurrency !== null) return enqueue.assign({ asking: [...asking, ...holders], waiting });
      for (const symbol of holders) enqueue.sendTo(symbol, { type: 'permit.granted' });
      enqueue.assign({ permits: [...permits, ...holders], waiting });
    }),
    passPermitOn: enqueueActions(({ context, event, enqueue }) => {
      const child = childOf(context, addressIn(event));
      // A child that no longer asks does not need the permit; `announceNeeds` notifies the ceiling actor.
      if (!child || !context.asking.includes(child.symbol)) return;
      enqueue.sendTo(child.symbol, { type: 'permit.granted' });
      enqueue.assign({
        permits: [...context.permits, child.symbol],
        asking: context.asking.filter((symbol) => symbol !== child.symbol),
      });
    }),
    announceNeeds: enqueueActions(({ context, enqueue }) => {
      const needs = needsOf(context);
      enqueue.sendTo('ceiling', { type: 'ceiling.needed', ...needs });
      enqueue.assign({ needs });
    }),
    announceRoom: enqueueActions(({ context, enqueue }) => {
      enqueue.sendTo('claims', { type: 'room.changed', room: room(context), low: isLow(context) });
      enqueue.assign({ announcedRoom: room(context) });
    }),
    forwardCancel: enqueueActions(({ context, event, enqueue }) => {
      const child = childOf(context, addressIn(event));
      if (child) enqueue.sendTo(child.symbol, { type: 'job.cancel' });
    }),
    dismissChild: enqueueActions(({ context, event, enqueue }) => {
      const child = childOf(context, addressIn(event));
      if (!child) return;
      enqueue.stopChild(child.symbol);
      enqueue.assign(withoutChild(context, child.symbol));
    }),
    dismissIdle: enqueueActions(({ context, enqueue }) => {
      const { permits } = context;
      const idle = context.children.filter(({ symbol }) => !permits.includes(symbol));
      for (const { symbol } of idle) enqueue.stopChild(symbol);
      const children = context.children.filter((claim) => !idle.includes(claim));
      enqueue.assign({ children, asking: [], waiting: [] });
    }),
    dismissAll: enqueueActions(({ context, enqueue }) => {
      for (const { symbol } of context.children) enqueue.stopChild(symbol);
      // The ceiling actor stops with its supervisor and releases the permits it still has.
      enqueue.assign({ children: [], permits: [], asking: [], waiting: [], needs: noNeeds });
    }),
    // Children that ask for a cluster permit return to the head of the queue. Permits granted during a pause are released.
    pause: assign(({ context: { asking, waiting } }) => ({
      paused: true,
      asking: [],
      waiting: [...asking, ...waiting],
    })),
    resume: assign({ paused: false }),
    setGrace: assign(({ event }) => (event.type === 'drain' ? { graceMs: event.graceMs } : {})),
    recordFault: assign((_, { actor }: { actor: string }) => ({
      fault: `the ${actor} actor stopped`,
      graceMs: faultGraceMs,
    })),
  },
});
