import { fromCallback } from 'xstate';
import type { CeilingEvent, Claim, Needs, SupervisorEvent } from '../../../machines/protocol.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { LoopHealth } from '../../kernel/loop-health.ts';
import type { InFlight } from '../job/phases-in-flight.ts';
import type { Recorder } from '../journal/recorder.ts';

export interface CeilingOptions {
  permits: {
    /** Takes a cluster permit for each claim while there are free ones. Returns the claims that have a permit now. */
    take(claims: readonly Claim[]): Promise<Claim[]>;
    free(claims: readonly Claim[]): Promise<void>;
  };
  /** Calls `wake` whenever a permit may have become free. Returns how to unsubscribe. */
  onWork: (wake: () => void) => () => void;
  recorder: Pick<Recorder, 'barrier'>;
  inFlight: InFlight;
  clock: Clock;
  loop: LoopHealth;
}

const asking = ' asking'; // no symbol begins with a space
const pollMs = 1000; // the permits of a crashed node become free without a notification

/**
 * The ceiling actor: takes cluster permits for the claims that its supervisor names, as far as permits are free, and
 * frees all others. Changes run one at a time. It tries again at each NOTIFY and every second.
 *
 * When it stops, it frees its remaining permits: by then the end of each job that held one is committed.
 */
export function ceilingActor({ permits, onWork, recorder, inFlight, clock, loop }: CeilingOptions) {
  return fromCallback<CeilingEvent>(({ sendBack, receive }) => {
    const stop = new AbortController();
    /** The permits that this node may hold. After a lost answer they count as held until the outcome is known. */
    const held = new Map<string, Claim>();
    let needs: Needs = { held: [], wanted: [] };
    let again = false;
    let busy = false;

    const change = async () => {
      const needed = new Set([...needs.held, ...needs.wanted].map(keyOf));
      const surplus = [...held].filter(([key]) => !needed.has(key));
      if (surplus.length > 0) {
        // Barrier: the journal must show the end of this holder before another node's entry shows the next holder.
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
