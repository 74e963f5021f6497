import { ChildProcess } from 'node:child_process';
import { Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';
import { Actor, type AnyActorRef } from 'xstate';

/** Something that a test started and has to stop. */
interface Started {
  what: string;
  kind: Kind;
  running(): boolean;
  trace: Error;
}
type Kind = 'actor' | 'server' | 'process' | 'PGlite' | 'interval';

let started: Started[] = [];

// How long a socket or a child may take to go once it was told to. Only a failing test waits that long.
const defaultGraceMs = 2000;

/** What is left running of what started after `mark`, one line each with the place that started it. */
export async function leaks({
  since = 0,
  kinds,
  graceMs = defaultGraceMs,
}: {
  since?: number;
  kinds?: readonly Kind[];
  graceMs?: number;
}): Promise<string[]> {
  const left = () =>
    started.slice(since).filter((one) => one.running() && (kinds?.includes(one.kind) ?? true));
  await settled(() => left().length === 0, graceMs);
  return left().map(({ what, trace }) => `${what}, started at ${place(trace)}`);
}

/** The moment now, for `leaks({ since })`. */
export const mark = () => started.length;

/** Forgets what has stopped, so that a long file does not hold on to it. */
export function forgetStopped(): void {
  started = started.filter((one) => one.running());
}

/** Handles that keep the process alive, by type, without the runner's own. */
export function handles(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const type of process.getActiveResourcesInfo()) counts.set(type, (counts.get(type) ?? 0) + 1);
  return counts;
}

// Timers are no measure: the runner has its own, now one, now two.
const watched = ['TCPSocketWrap', 'TCPServerWrap', 'PipeWrap', 'UDPWrap', 'FSEventWrap'];

/** The types of which there are more than in `before`, once everything had time to go. */
export async function handlesBeyond(
  before: ReadonlyMap<string, number>,
  graceMs = defaultGraceMs,
): Promise<string[]> {
  const more = () => {
    const now = handles();
    return watched.filter((type) => (now.get(type) ?? 0) > (before.get(type) ?? 0));
  };
  await settled(() => more().length === 0, graceMs);
  const now = handles();
  return more().map((type) => `${type}: ${now.get(type)}, at the start ${before.get(type) ?? 0}`);
}

async function settled(done: () => boolean, graceMs: number): Promise<void> {
  for (const end = Date.now() + graceMs; !done() && Date.now() < end; ) await sleep(10);
}

/**
 * From now on every actor system, listening server, child process, PGlite and interval is known from its start.
 *
 * They are found by the one method that each of them goes through, so a test need not register anything; a service
 * that forgets to stop a part of itself is caught as well.
 */
export function watch(): void {
  after(Actor.prototype, 'start', (actor) => {
    if (actor._parent) return; // it stops with its parent
    note('actor', `actor ${actor.logic.id ?? actor.id}`, () => isRunning(actor));
  });
  after(Server.prototype, 'listen', (server) => note('server', 'server', () => server.listening));
  after(ChildProcess.prototype as ChildProcess & { spawn(): void }, 'spawn', (child) =>
    note('process', `process ${child.spawnfile}`, () => child.exitCode === null && child.signalCode === null),
  );
  after(PGlite.prototype, '_initArrayTypes' as 'exec', (pglite) =>
    note('PGlite', `PGlite ${pglite.dataDir ?? 'in memory'}`, () => !pglite.closed),
  );
  const { setInterval } = globalThis;
  globalThis.setInterval = ((...call: Parameters<typeof setInterval>) => {
    const interval = setInterval(...call) as NodeJS.Timeout & { _destroyed: boolean };
    note('interval', 'interval', () => !interval._destroyed && interval.hasRef());
    return interval;
  }) as typeof setInterval;
}

const isRunning = (actor: AnyActorRef) =>
  (actor as unknown as { _processingStatus: 0 | 1 | 2 })._processingStatus === 1;

function note(kind: Kind, what: string, running: () => boolean): void {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 50; // the test is far below the library that starts things for it
  started.push({ kind, what, running, trace: new Error(what) });
  Error.stackTraceLimit = stackTraceLimit;
}

function after<Prototype extends object, Name extends keyof Prototype>(
  prototype: Prototype,
  name: Name,
  act: (self: Prototype) => void,
): void {
  const original = prototype[name] as (...call: unknown[]) => unknown;
  if (typeof original !== 'function') throw new Error(`expected a method to watch, got: no ${String(name)}`);
  prototype[name] = function (this: Prototype, ...call: unknown[]) {
    const result = original.apply(this, call);
    act(this);
    return result;
  } as Prototype[Name];
}

function place(trace: Error): string {
  const lines = trace.stack?.split('\n').slice(1) ?? [];
  const ours = lines.filter((line) => !/node_modules|node:|support\/leaks\.ts/.test(line));
  return (ours.find((line) => line.includes('.test.ts')) ?? ours[0] ?? 'an unknown place')
    .trim()
    .replace(/^at /, '');
}
