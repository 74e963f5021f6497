import type { Frame, TransitionView } from '../../contract/schemas.ts';
import type { Viewer } from '../../contract/service.ts';

interface NamesNodes {
  node: string | null;
  timeline?: TransitionView[];
}

/**
 * Hides node names from users. They contain host and process: operators need them to find a log, for users they are
 * internals, so they get null.
 */
export const viewFor = <View extends NamesNodes>({ role }: Viewer, view: View): View =>
  role === 'operator' ? view : withoutNodes(view);

/** A frame of the feed without node names. */
export function frameForUsers(frame: Frame): Frame {
  if (frame.type === 'transition') return withoutNodes(frame);
  return frame.type === 'actor' ? { ...frame, job: withoutNodes(frame.job) } : frame;
}

const withoutNodes = <View extends NamesNodes>(view: View): View => ({
  ...view,
  node: null,
  ...(view.timeline && { timeline: view.timeline.map(withoutNodes) }),
});
