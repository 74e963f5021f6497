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
 * Supervisor and jobs. Phases and sleeps are promises without a statechart: three times the messages, and nothing that
 * the state of their job does not tell.
 *
 * Attached to the actors only while somebody watches, and the library is loaded by the first who does: without a viewer
 * it costs nothing. An exception in an observer would kill the actor that it observes, so none gets out.
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
      // The library tells everything a timer later. Behind the registrations, then, and before all that happens from
      // now on; what is still under way from before is in the snapshots that the registrations will show.
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
const load = (): Promise<Library> => import('@statelyai/inspect'); // 100 ms that a start without a viewer saves

/** The supervisor, then its jobs. */
function supervisorAndJobs(supervisor: Root): AnyActorRef[] {
  const children: (AnyActorRef | undefined)[] = Object.values(supervisor.getSnapshot().children);
  return [
    supervisor,
    ...children.filter((child) => child !== undefined && isShown(child, supervisor)),
  ] as AnyActorRef[];
}

const isShown = (ref: AnyActorRef, supervisor: Root) => ref === supervisor || ref.src === 'job';

const shownEventTypes: ReadonlySet<string> = new Set(['@xstate.actor', '@xstate.event', '@xstate.snapshot']);

/** What is told of, before the library spends time on it. A sender that is not shown is left out. */
function relevant(event: InspectionEvent, supervisor: Root): InspectionEvent | null {
  if (!shownEventTypes.has(event.type) || !isShown(event.actorRef as AnyActorRef, supervisor)) return null;
  if (event.type !== '@xstate.event' || !event.sourceRef) return event;
  return isShown(event.sourceRef as AnyActorRef, supervisor) ? event : { ...event, sourceRef: undefined };
}

/** Without secrets, and of an actor's snapshot what is JSON. */
function redacted(event: StatelyInspectionEvent): StatelyInspectionEvent {
  if (event.type === '@xstate.event') return { ...event, event: redactSecrets(event.event) };
  // At its registration it is the live one; later the library has made JSON of it already.
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
