import type { SubscriptionState } from '../../contract/feed.ts';
import type { FrameOf, LiveErrorCode, Subscription } from '../../contract/schemas.ts';
import type { Viewer } from '../../contract/service.ts';
import { namesIn, readSubscription } from './client-frames.ts';
import { errorFrame, type LiveLimits } from './frames.ts';
import { type FeedIndex, keysOf } from './subscription-index.ts';

type Refusal = FrameOf<'error'>;

/** The subscriptions of one client. */
export interface Subscriptions {
  /** Checks subscriptions against the limits of this connection; refuses the others one by one. */
  admit(given: readonly Subscription[]): { admitted: Subscription[]; refusals: Refusal[] };
  /** Starts to notify the client, or returns why not. */
  begin(wanted: Subscription, state: SubscriptionState): Refusal | null;
  end(ids: readonly string[]): { ended: string[]; refusals: Refusal[] };
  endAll(): void;
  readonly size: number;
  /** There has been a subscription. */
  readonly used: boolean;
}

export function subscriptionsOf<Listener>(
  listener: Listener,
  {
    index,
    limits,
    viewer,
  }: {
    index: FeedIndex<Listener>;
    limits: Pick<LiveLimits, 'subscriptions' | 'names'>;
    viewer: Viewer;
  },
): Subscriptions {
  const begun = new Map<string, { keys: string[]; names: number }>();
  let used = false;
  return {
    admit(given) {
      const admitted: Subscription[] = [];
      const refusals: Refusal[] = [];
      const ids = new Set(begun.keys());
      let names = [...begun.values()].reduce((sum, one) => sum + one.names, 0);
      for (const one of given) {
        const read = readSubscription(one, viewer);
        const refuse = (code: LiveErrorCode, message: string) =>
          refusals.push(errorFrame(code, message, one.id));
        if ('type' in read) refusals.push(read);
        else if (ids.has(one.id))
          refuse('duplicate_subscription', `Subscription ${one.id} exists already. Choose another id.`);
        else if (ids.size >= limits.subscriptions || names + namesIn(read) > limits.names) {
          const most = `${limits.subscriptions} subscriptions with ${limits.names} names in total`;
          refuse(
            'too_many_subscriptions',
            `Allowed: at most ${most} per connection. Open another connection.`,
          );
        } else {
          ids.add(one.id);
          names += namesIn(read);
          admitted.push(read);
        }
      }
      return { admitted, refusals };
    },
    begin(wanted, { missing, portfolios }) {
      if (missing.length > 0) {
        return errorFrame('portfolio_not_found', `There is no portfolio ${missing[0]}.`, wanted.id);
      }
      const symbols = [...(wanted.symbols ?? []), ...portfolios.flatMap((one) => one.symbols)];
      const keys = keysOf({ ...wanted, symbols: [...new Set(symbols)] });
      index.add(listener, keys);
      begun.set(wanted.id, { keys, names: namesIn(wanted) });
      used = true;
      return null;
    },
    end(ids) {
      const ended = [...new Set(ids)].filter((id) => begun.has(id));
      for (const id of ended) {
        index.remove(listener, begun.get(id)!.keys);
        begun.delete(id);
      }
      const unknown = ids.filter((id) => !ended.includes(id));
      const message = (id: string) => `This connection has no subscription ${id}.`;
      return { ended, refusals: unknown.map((id) => errorFrame('unknown_subscription', message(id), id)) };
    },
    endAll() {
      for (const { keys } of begun.values()) index.remove(listener, keys);
      begun.clear();
    },
    get size() {
      return begun.size;
    },
    get used() {
      return used;
    },
  };
}
