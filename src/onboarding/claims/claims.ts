import { fromCallback } from 'xstate';
import type { ClaimsEvent, JobLimits, SupervisorEvent } from '../../../machines/protocol.ts';
import { endOfTurn } from '../../kernel/batching.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { LoopHealths } from '../../kernel/loop-health.ts';
import { oneAtATime } from '../../kernel/one-at-a-time.ts';
import type { Requests } from '../admission/operator-requests.store.ts';
import type { InFlight } from '../job/phases-in-flight.ts';
import type { TakenClaim } from '../job/ports.ts';
import type { Recorder } from '../journal/recorder.ts';

export interface ClaimsOptions {
  jobs: {
    claim(room: number): Promise<TakenClaim[]>;
    release(claims: readonly TakenClaim[]): Promise<void>;
    /** The pending requests of operators for this node. */
    requests(): Promise<Requests>;
  };
  /** Calls `wake` whenever a job may have become claimable. Returns how to unsubscribe. */
  onWork: (wake: () => void) => () => void;
  recorder: Pick<Recorder, 'begin' | 'held' | 'forget'>;
  inFlight: InFlight;
  limits: JobLimits;
  clock: Clock;
  loops: Pick<LoopHealths, 'claims' | 'requests'>;
  log: (error: unknown) => void;
}

const claiming = ' claiming'; // no symbol begins with a space
const spawnsPerTurn = 4; // children that are spawned in one turn of the event loop
const pollMs = 1000; // a NOTIFY is lost if its connection breaks; polling limits the delay to this

/**
 * The claims actor: claims jobs from the queue while the supervisor has room. NOTIFY and a poll every second wake it.
 * Ending jobs wake it only once half of the prefetched jobs are used up, and not while the queue is known to be empty.
 *
 * Claims run one at a time. If a child of the same symbol still runs here under an older claim, it is stopped first,
 * and the actor waits for its phase in flight. Jobs claimed for a supervisor that has stopped meanwhile are released.
 * Each wake also reads the requests of operators, such as a pause or a cancellation.
 */
export function claimsActor({ jobs, onWork, recorder, inFlight, limits, clock, loops, log }: ClaimsOptions) {
  return fromCallback<ClaimsEvent>(({ sendBack, receive }) => {
    const stop = new AbortController();
    let room = 0;
    let low = true;
    let again = false;
    let busy = false;
    let found = true; // whether the last claim found a job

    const send = (event: SupervisorEvent) => sendBack(event);
    const giveBack = async (claims: TakenClaim[]) => {
      for (const { claim } of claims) recorder.forget(claim);
      if (claims.length > 0) await jobs.release(claims);
    };
    const take = async (): Promise<number> => {
      const taken = await jobs.claim(room);
      for (const [index, one] of taken.entries()) {
        const { symbol } = one.claim;
        const older = recorder.held().find(({ claim }) => claim.symbol === symbol);
        if (older) send({ type: 'claim.lost', ...older.claim });
        await inFlight.settled(symbol);
        if (stop.signal.aborted) {
          await giveBack(taken.slice(index));
          return 0;
        }
        recorder.begin(one);
        send({ type: 'claim.taken', claim: one.claim, progress: one.progress, limits });
        if (index % spawnsPerTurn === spawnsPerTurn - 1) await endOfTurn(); // running jobs go first
      }
      return taken.length;
    };
    let paused = false;
    const applyRequests = async () => {
      if (stop.signal.aborted) return;
      const requests = await jobs.requests();
      if (stop.signal.aborted) return;
      if (requests.paused !== paused) send({ type: requests.paused ? 'pause' : 'resume' });
      paused = requests.paused;
      for (const job of requests.cancelled) send({ type: 'job.cancel', ...job });
    };
    // Serialized: of two concurrent reads the older could finish last and undo the pause that the newer one applied.
    const applyOperatorRequests = oneAtATime(() =>
      loops.requests.round(() => inFlight.track(claiming, applyRequests())),
    );
    const pull = async () => {
      again = true;
      if (busy) return;
      busy = true;
      await loops.claims.round(async () => {
        while (again && room > 0 && !stop.signal.aborted) {
          again = false;
          await endOfTurn(); // jobs that end in one commit free room one by one: wait, so that one claim fills it
          if (room === 0 || stop.signal.aborted) break;
          // Tracked, so that a stopping node waits for this claim and can release its jobs.
          found = (await inFlight.track(claiming, take())) > 0;
          if (found && low) again = true;
        }
      });
      busy = false;
    };
    const poll = async () => {
      while (!stop.signal.aborted) {
        await clock.sleepUntil(clock.now() + pollMs, stop.signal);
        await look();
      }
    };

    const look = async () => {
      found = true; // new jobs may have arrived
      await applyOperatorRequests();
      await pull();
    };

    const unsubscribe = onWork(() => void look());
    void applyOperatorRequests();
    poll().catch(() => {}); // ends with the signal
    receive((event) => {
      if (event.type === 'room.changed') {
        ({ room, low } = event);
        if (room > 0 && low && found) void pull();
      } else {
        const refused = recorder.held().filter(({ claim }) => claim.jobId === event.claim.jobId);
        giveBack(refused).catch(log);
      }
    });
    return () => {
      stop.abort(new Error('the supervisor takes no more claims'));
      unsubscribe();
    };
  });
}
