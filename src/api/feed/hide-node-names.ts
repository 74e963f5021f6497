import type { Frame, TransitionView } from '../../contract/schemas.ts';
import type { Viewer } from '../../contract/service.ts';

interface NamesNodes {
  node: string | null;
  timeline?: TransitionView[];
}

/**
 * A view as its viewer may read it. A node is named after its host and process: operators need that to find a log, to
 * users it tells how the house is built, so for them it is null.
 */
export const viewFor = <View extends NamesNodes>({ role }: Viewer, view: View): View =>
  role === 'operator' ? view : withoutNodes(view);

/** A frame of the feed as users may read it. */
export function frameForUsers(frame: Frame): Frame {
  if (frame.type === 'transition') return withoutNodes(frame);
  return frame.type === 'actor' ? { ...frame, job: withoutNodes(frame.job) } : frame;
}

const withoutNodes = <View extends NamesNodes>(view: View): View => ({
  ...view,
  node: null,
  ...(view.timeline && { timeline: view.timeline.map(withoutNodes) }),
});
