import type { StatelyInspectionEvent } from '@statelyai/inspect';
import type { ActorRefFrom, AnyActorRef, InspectionEvent } from 'xstate';
import type { supervisorMachine } from '../../machines/supervisor.ts';
import type { Inspection } from '../contract/service.ts';
import { redactSecrets } from './job/redact-secrets.ts';

export interface InspectionOptions {
  root: () => ActorRefFrom<typeof supervisorMachine>;
  log: (error: unknown) => void;
}

type Root = ReturnType<InspectionOptions['root']>;

/**
 * Sends the events of the supervisor and its jobs to the Stately inspector. Phases and sleeps are left out: they are
 * promises without a statechart, and would triple the messages without adding to the state of their job.
 *
 * It is attached to the actors only while there is a viewer, and the first viewer loads the library, so it costs nothing
 * otherwise. An exception in an observer would stop the observed actor, so all exceptions are caught.
 */
export function statelyInspection({ root, log }: InspectionOptions): Inspection {
  const viewers = new Set<(message: string) => void>();
  let watching = 0;
  let detach = () => {};

  const sendTo = (send: (message: string) => void, message: string) => {
    try {
      send(message);
    } catch (error) {
      log(error);
    }
  };
  const attach = ({ createInspector }: Library) => {
    const { inspect } = createInspector({
      send(event) {
        if (viewers.size === 0) return;
        const message = JSON.stringify(redacted(event));
        for (const send of viewers) sendTo(send, message);
      },
    });
    const subscription = root().system.inspect({
      next(event) {
        try {
          const shownEvent = relevant(event, root());
          if (shownEvent) inspect.next?.(shownEvent);
        } catch (error) {
          log(error);
        }
      },
    });
    return () => subscription.unsubscribe();
  };

  return {
    async watch(send) {
      const library = await load();
      watching += 1;
      if (watching === 1) detach = attach(library);
      const { inspect } = library.createInspector({
        send: (event) => sendTo(send, JSON.stringify(redacted(event))),
      });
      const supervisor = root();
      for (const actorRef of supervisorAndJobs(supervisor)) {
        inspect.next?.({ type: '@xstate.actor', actorRef, rootId: supervisor.sessionId });
      }
      // The library sends everything one timer later. This timer runs after those of the registrations and before those of
      // later events. Earlier events that are not sent yet are already part of the registered snapshots.
      const joining = setTimeout(() => viewers.add(send));
      let left = false;
      return () => {
        if (left) return;
        left = true;
        clearTimeout(joining);
        viewers.delete(send);
        watching -= 1;
        if (watching === 0) detach();
      };
    },
  };
}

type Library = typeof import('@statelyai/inspect');
const load = (): Promise<Library> => import('@statelyai/inspect'); // loading takes 100 ms, which a start without a viewer saves

/** The supervisor first, then its jobs. */
function supervisorAndJobs(supervisor: Root): AnyActorRef[] {
  const children: (AnyActorRef | undefined)[] = Object.values(supervisor.getSnapshot().children);
  return [
    supervisor,
    ...children.filter((child) => child !== undefined && isShown(child, supervisor)),
  ] as AnyActorRef[];
}

const isShown = (ref: AnyActorRef, supervisor: Root) => ref === supervisor || ref.src === 'job';

const shownEventTypes: ReadonlySet<string> = new Set(['@xstate.actor', '@xstate.event', '@xstate.snapshot']);

/** Filters events before the library processes them. The sender is removed if it is an actor that is not shown. */
function relevant(event: InspectionEvent, supervisor: Root): InspectionEvent | null {
  if (!shownEventTypes.has(event.type) || !isShown(event.actorRef as AnyActorRef, supervisor)) return null;
  if (event.type !== '@xstate.event' || !event.sourceRef) return event;
  return isShown(event.sourceRef as AnyActorRef, supervisor) ? event : { ...event, sourceRef: undefined };
}

/** Removes secrets, and the parts of an actor's snapshot that are not JSON. */
function redacted(event: StatelyInspectionEvent): StatelyInspectionEvent {
  if (event.type === '@xstate.event') return { ...event, event: redactSecrets(event.event) };
  // A registration has the live snapshot; for later events the library has already converted it to JSON.
  const given = event.type === '@xstate.actor' ? JSON.parse(JSON.stringify(event.snapshot)) : event.snapshot;
  const { status, value, context, output, children, tags } = given as ShownSnapshot;
  const snapshot = { status, value, context: redactSecrets(context), output, children, tags };
  return event.type === '@xstate.actor'
    ? { ...event, snapshot }
    : ({ ...event, event: redactSecrets(event.event), snapshot } as unknown as StatelyInspectionEvent);
}

interface ShownSnapshot {
  status: 'active';
  value: unknown;
  context: unknown;
  output: unknown;
  children: unknown;
  tags: unknown;
}
