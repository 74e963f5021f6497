import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';

interface Edge {
  level: AnyStateNode;
  from: string;
  to: string;
  label: string;
  /** Where inside `from` the transition starts, or empty. */
  origin: string;
}

/**
 * A statechart as a Mermaid state diagram, drawn from the machine itself.
 *
 * A transition is drawn between siblings: if it leaves a state from a child, it starts at that state, with the child in
 * parentheses. A state tagged `transient` is left immediately, so it is drawn as its parent's start. Transitions that
 * do not leave a state are listed inside the state, and those of all states in a note.
 *
 *     diagramOf(jobMachine)   // 'stateDiagram-v2\n  [*] --> failed : [isResumedTooOften] / failResumed\n …'
 */
export function diagramOf(machine: AnyStateMachine): string {
  const edges = nodesOf(machine.root).flatMap(edgesOf);
  const notes = noteOf(machine.root).map((line) => `  ${line}`);
  const lines = ['stateDiagram-v2', ...contentOf(machine.root, edges), ...notes];
  return lines.join('\n');
}

/** The text with each block between `<!-- diagram job -->` and `<!-- end -->` replaced by that machine's diagram. */
export function withDiagrams(text: string, machines: readonly AnyStateMachine[]): string {
  return text.replace(/(<!-- diagram (\w+) -->\n)[\s\S]*?(<!-- end -->)/g, (block, open, id, close) => {
    const machine = machines.find((candidate) => candidate.id === id);
    return machine ? `${open}\`\`\`mermaid\n${diagramOf(machine)}\n\`\`\`\n${close}` : block;
  });
}

function nodesOf(node: AnyStateNode): AnyStateNode[] {
  return [node, ...Object.values<AnyStateNode>(node.states).flatMap(nodesOf)];
}

function contentOf(node: AnyStateNode, edges: readonly Edge[]): string[] {
  const children = Object.values<AnyStateNode>(node.states).filter((child) => !isTransient(child));
  const start = node.initial?.target[0];
  const begins = start && !isTransient(start) ? [`[*] --> ${idOf(start)}`] : [];
  const states = children.flatMap((child) => stateOf(child, edges));
  return [...states, ...begins, ...merged(edges.filter(({ level }) => level === node))].map(
    (line) => `  ${line}`,
  );
}

function stateOf(node: AnyStateNode, edges: readonly Edge[]): string[] {
  const id = idOf(node);
  if (Object.keys(node.states).length > 0) {
    return [`state "${node.key}" as ${id} {`, ...contentOf(node, edges), '}', ...noteOf(node)];
  }
  const ends = node.type === 'final' ? [`${id} --> [*]`] : [];
  return [`state "${node.key}" as ${id}`, ...behaviourOf(node).map((line) => `${id} : ${line}`), ...ends];
}

/** What happens inside a state: on entry and exit, while it is active (`do`), and on events that do not leave it. */
function behaviourOf(node: AnyStateNode): string[] {
  const names = (actions: unknown, when: string) => {
    const known = actionNames(actions);
    return known ? [`${when} / ${known}`] : [];
  };
  const invoked = node.invoke.map(({ src }) => `do / ${typeof src === 'string' ? src : 'anonymous'}`);
  const inner = transitionsOf(node).filter(({ transition }) => !transition.target?.length);
  return [
    ...names(node.entry, 'entry'),
    ...invoked,
    ...inner.map(({ label }) => label),
    ...names(node.exit, 'exit'),
  ];
}

/** What all child states share, as a note beside the state, or beside the first state for the whole machine. */
function noteOf(node: AnyStateNode): string[] {
  const lines = behaviourOf(node);
  const beside = node.parent
    ? node
    : Object.values<AnyStateNode>(node.states).find((child) => !isTransient(child));
  if (lines.length === 0 || !beside) return [];
  const within = node.parent ? `everywhere in ${node.key}` : 'everywhere';
  return [`note left of ${idOf(beside)}`, ...[within, ...lines].map((line) => `  ${line}`), 'end note'];
}

function edgesOf(node: AnyStateNode): Edge[] {
  return transitionsOf(node).flatMap(({ transition, label }) =>
    (transition.target ?? []).map((target: AnyStateNode) => edge(node, shown(target), label)),
  );
}

/** Lifts both ends of a transition to the level where they are siblings. */
function edge(source: AnyStateNode, target: AnyStateNode, label: string): Edge {
  const levels = ancestorsOf(source);
  const level = ancestorsOf(target).find((ancestor) => levels.includes(ancestor)) ?? source.machine.root;
  const [from, to] = [source, target].map((end) => end.path.slice(0, level.path.length + 1)) as [
    string[],
    string[],
  ];
  return {
    level,
    from: isTransient(source) ? '[*]' : from.join('_'),
    to: to.join('_'),
    label,
    origin: source.path.slice(from.length).join('.'),
  };
}

/** One line for all edges that differ only in where inside `from` they start. */
function merged(edges: readonly Edge[]): string[] {
  const byLine = Map.groupBy(
    edges,
    ({ from, to, label }) => `${from} --> ${to}${label ? ` : ${label}` : ''}`,
  );
  return [...byLine].map(([line, group]) => {
    const origins = group.map(({ origin }) => origin).filter(Boolean);
    return origins.length ? `${line} (${shortened(origins)})` : line;
  });
}

/** `a.running` and `b.running` become `a, b in running`: a common last name is written once. */
function shortened(origins: readonly string[]): string {
  const last = origins[0]?.split('.').at(-1) ?? '';
  const heads = origins.map((origin) => origin.slice(0, -last.length - 1));
  const shared = heads.every((head, i) => head && origins[i] === `${head}.${last}`);
  return shared ? `${heads.join(', ')} in ${last}` : origins.join(', ');
}

/** Every transition of a state, in the order in which they are tried, with its label: event [guard] / actions. */
function transitionsOf(node: AnyStateNode): { transition: AnyTransitionDefinition; label: string }[] {
  const groups = [...node.transitions.values(), node.always ?? []];
  return groups.flatMap((group) =>
    group.map((transition, i) => {
      const guard = guardName(transition.guard) ?? (i > 0 && group.length > 1 ? 'else' : undefined);
      const actions = actionNames(transition.actions);
      const parts = [eventName(transition.eventType, node), guard && `[${guard}]`, actions && `/ ${actions}`];
      return { transition, label: parts.filter(Boolean).join(' ') };
    }),
  );
}

/** `xstate.error.actor.fetch` becomes `error` if only `fetch` runs; `xstate.after.grace.…` becomes `after grace`. */
function eventName(type: string, { invoke }: AnyStateNode): string {
  const [, outcome, actor] = /^xstate\.(done|error)\.actor\.(.+)$/.exec(type) ?? [];
  if (!outcome) return type.replace(/^xstate\.after\.(\w+)\..*$/, 'after $1');
  if (actor === '*') return `any child ${outcome}`;
  return invoke.length === 1 && invoke[0]?.id === actor ? outcome : `${actor} ${outcome}`;
}

function guardName(guard: unknown): string | undefined {
  if (typeof guard === 'string' || guard === undefined) return guard;
  const { type, params } = guard as { type: string; params?: Record<string, unknown> };
  return [type, ...Object.values(params ?? {})].join(' ');
}

/** The names of our actions, without XState's internal ones (timers). */
function actionNames(actions: unknown): string {
  const all = Array.isArray(actions) ? actions : [];
  const names = all.map((action: string | { type?: string }) =>
    typeof action === 'string' ? action : action.type,
  );
  return names.filter((name) => name && !name.startsWith('xstate.')).join(', ');
}

function shown(node: AnyStateNode): AnyStateNode {
  return isTransient(node) && node.parent ? shown(node.parent) : node;
}

function isTransient(node: AnyStateNode): boolean {
  return node.tags.includes('transient');
}

function ancestorsOf(node: AnyStateNode): AnyStateNode[] {
  return node.parent ? [node.parent, ...ancestorsOf(node.parent)] : [];
}

function idOf(node: AnyStateNode): string {
  return node.path.join('_');
}
