import { fromCallback } from 'xstate';
import type { CeilingEvent, Claim, Needs, SupervisorEvent } from '../../../machines/protocol.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { LoopHealth } from '../../kernel/loop-health.ts';
import type { InFlight } from '../job/phases-in-flight.ts';
import type { Recorder } from '../journal/recorder.ts';

export interface CeilingOptions {
  permits: {
    /** Takes a permit of the cluster for each claim, as far as there are free ones; answers who has one now. */
    take(claims: readonly Claim[]): Promise<Claim[]>;
    free(claims: readonly Claim[]): Promise<void>;
  };
  /** Calls back whenever a permit may have come free; answers how to stop that. */
  onWork: (wake: () => void) => () => void;
  recorder: Pick<Recorder, 'barrier'>;
  inFlight: InFlight;
  clock: Clock;
  loop: LoopHealth;
}

const asking = ' asking'; // no symbol begins with a space
const pollMs = 1000; // the permits of a node that died come free without a notification

/**
 * The ceiling actor: makes the cluster's permits of this node those that its supervisor needs, no more and, as far as
 * there are free ones, no fewer. One change is under way at a time; a NOTIFY or a second later it tries again.
 *
 * When it stops it gives back what is left: the end of a job whose permit was still held is committed by then.
 */
export function ceilingActor({ permits, onWork, recorder, inFlight, clock, loop }: CeilingOptions) {
  return fromCallback<CeilingEvent>(({ sendBack, receive }) => {
    const stop = new AbortController();
    /** What this node may hold: a commit whose answer was lost counts until it is known. */
    const held = new Map<string, Claim>();
    let needs: Needs = { held: [], wanted: [] };
    let again = false;
    let busy = false;

    const change = async () => {
      const needed = new Set([...needs.held, ...needs.wanted].map(keyOf));
      const surplus = [...held].filter(([key]) => !needed.has(key));
      if (surplus.length > 0) {
        // Another node's journal must not tell of the next holder before ours tells that this one is through.
        await Promise.allSettled(surplus.map(([, { jobId }]) => recorder.barrier(jobId)));
        await permits.free(surplus.map(([, claim]) => claim));
        for (const [key] of surplus) held.delete(key);
      }
      const { wanted } = needs;
      if (wanted.length === 0) return;
      for (const claim of wanted) held.set(keyOf(claim), claim);
      const granted = new Set((await permits.take(wanted)).map(keyOf));
      for (const claim of wanted) {
        if (granted.has(keyOf(claim))) sendBack({ type: 'ceiling.granted', ...claim } as SupervisorEvent);
        else held.delete(keyOf(claim));
      }
    };
    const reconcile = async () => {
      again = true;
      if (busy) return;
      busy = true;
      await loop.round(async () => {
        while (again) {
          again = false;
          await inFlight.track(asking, change());
        }
      });
      busy = false;
    };
    const poll = async () => {
      for (;;) {
        await clock.sleepUntil(clock.now() + pollMs, stop.signal);
        await reconcile();
      }
    };

    const unsubscribe = onWork(() => {
      if (needs.wanted.length > 0) void reconcile();
    });
    poll().catch(() => {}); // ends with the signal
    receive(({ held, wanted }) => {
      needs = { held, wanted };
      void reconcile();
    });
    return () => {
      stop.abort(new Error('the supervisor stopped'));
      unsubscribe();
      needs = { held: [], wanted: [] };
      void reconcile();
    };
  });
}

const keyOf = ({ jobId, epoch }: Claim): string => `${jobId} ${epoch}`;
