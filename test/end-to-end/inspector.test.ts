import { createWebSocketReceiver, type StatelyInspectionEvent } from '@statelyai/inspect';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { stateName } from '../../machines/job.ts';
import type { ActorsView } from '../../src/contract/schemas.ts';
import type { Database } from '../../src/database/database.orm.ts';
import { systemClock } from '../../src/kernel/system.clock.ts';
import { simulatedProvider } from '../../src/market/simulated/simulated.provider.ts';
import { browserMissing, openBrowser } from '../support/browser.ts';
import { describeOnDatabase } from '../support/databases.ts';
import { gatedProvider } from '../support/gates.ts';
import { csvOf, startService, type TestService } from '../support/service.ts';
import { authTokens, tokenOf } from '../support/tokens.ts';

/** A service in which one job stands still in its first phase and another waits for its permit. */
async function busyService(database: Database, settings: Record<string, string> = {}) {
  const provider = gatedProvider(simulatedProvider({ clock: systemClock }));
  const held = provider.hold('RUNS');
  const service = await startService(database, {
    provider,
    settings: { ONBOARDING_CONCURRENCY: '1', ...settings },
  });
  const operator = settings.AUTH_TOKENS ? service.as('olga') : service;
  await operator.upload(csvOf('RUNS'));
  await held.reached;
  await operator.upload(csvOf('WAITS'));
  await liveStates(operator, ({ actors }) => actors.length === 2);
  return { service, operator, held };
}

/** By symbol, once every actor lives and the condition holds. */
async function liveStates(service: TestService, settled: (view: ActorsView) => boolean) {
  for (;;) {
    const { body } = await service.get<ActorsView>('/onboarding/actors');
    if (!settled(body) || body.actors.some(({ source }) => source !== 'live')) continue;
    return Object.fromEntries(
      [body.supervisor, ...body.actors].map(({ symbol, state }) => [symbol ?? 'supervisor', state]),
    );
  }
}

type Known = Map<string, { name: string; state: string; status: string }>;

function learn(known: Known, event: StatelyInspectionEvent): void {
  if (event.type === '@xstate.event') return;
  const { value, status } = event.snapshot as { value: Parameters<typeof stateName>[0]; status: string };
  const name = event.type === '@xstate.actor' ? event.name : known.get(event.sessionId)!.name;
  known.set(event.sessionId, { name, state: stateName(value), status });
}

const living = (known: Known) =>
  Object.fromEntries(
    [...known.values()].filter(({ status }) => status === 'active').map(({ name, state }) => [name, state]),
  );

describeOnDatabase('pglite', 'the inspector', (makeDatabase) => {
  let database: Database;
  beforeAll(async () => {
    database = await makeDatabase();
  });

  test("tells the package's own receiver the state of every actor, now and until it is over", async () => {
    const { service, held } = await busyService(database);
    const known: Known = new Map();
    const heard = new EventTarget();
    const receiver = createWebSocketReceiver({ server: `${service.url.replace('http', 'ws')}/ws/inspect` });
    receiver.subscribe((event) => {
      learn(known, event);
      heard.dispatchEvent(new Event('event'));
    });
    const until = async (condition: () => boolean) => {
      while (!condition())
        await new Promise((resolve) => heard.addEventListener('event', resolve, { once: true }));
    };
    await until(() => known.size === 3);
    expect(living(known)).toEqual(await liveStates(service, ({ actors }) => actors.length === 2));
    expect(living(known)).toEqual({
      supervisor: 'accepting',
      RUNS: 'processing.fetch.running',
      WAITS: 'pending',
    });

    held.open();
    await until(() => Object.keys(living(known)).length === 1);
    const ends = [...known.values()].filter(({ name }) => name !== 'supervisor').map(({ state }) => state);
    expect(ends).toEqual(['completed', 'completed']);
  });

  test.skipIf(browserMissing)(
    'shows them in the hosted inspector, framed by its page, to an operator',
    { timeout: 180_000 },
    async () => {
      const { service } = await busyService(await makeDatabase(), { AUTH_TOKENS: authTokens });
      const browser = await openBrowser();
      const page = await browser.newPage();
      const refused: string[] = [];
      page.on('console', (line) => line.type() === 'error' && refused.push(line.text()));
      page.on('pageerror', (error) => refused.push(String(error)));
      await page.route('https://stately.ai/**', (route) =>
        route.fulfill({ contentType: 'text/html', body: standIn }),
      );

      await page.goto(`${service.url}/inspector`);
      await page.getByLabel('Token').fill('of nobody');
      await page.getByRole('button', { name: 'Connect' }).click();
      await page.getByText('Invalid token.').waitFor();
      await page.getByLabel('Token').fill(tokenOf('olga'));
      await page.getByRole('button', { name: 'Connect' }).click();
      await page.getByText('Connected').waitFor();

      expect(await shownIn(page)).toEqual([
        'RUNS processing.fetch.running',
        'WAITS pending',
        'supervisor accepting',
      ]);
      expect(await page.getByLabel('Token').isHidden()).toBe(true);
      // What the service answered, the browser reports; the policy of the page refused nothing.
      expect(refused.filter((line) => !line.includes('401'))).toEqual([]);
      // The frame is reloaded: everything is told once more.
      await page.evaluate('document.querySelector("iframe").src = "https://stately.ai/inspect?again"');
      expect(await shownIn(page, '?again')).toEqual([
        'RUNS processing.fetch.running',
        'WAITS pending',
        'supervisor accepting',
      ]);
    },
  );
});

/** What the stand-in in the frame knows, once that is all three. */
async function shownIn(page: Page, search = ''): Promise<string[]> {
  const items = page.frameLocator('iframe').locator(`ul[title="${search}"] li`);
  await items.nth(2).waitFor();
  return (await items.allTextContents()).sort();
}

// Listens as the package's browser receiver does, and lists what it is told.
const standIn = `<!doctype html><title>stand-in</title><ul></ul><script>
const known = new Map();
document.querySelector('ul').title = location.search;
const name = (value) => typeof value === 'string' ? value
  : Object.entries(value).map(([parent, child]) => parent + '.' + name(child)).join(' ');
addEventListener('message', ({ data }) => {
  if (typeof data !== 'object' || typeof data.type !== 'string' || typeof data._version !== 'string') return;
  if (data.type === '@xstate.actor') known.set(data.sessionId, { name: data.name });
  if (data.snapshot) known.get(data.sessionId).state = name(data.snapshot.value);
  document.querySelector('ul').replaceChildren(...[...known.values()].map((one) => {
    const item = document.createElement('li');
    item.textContent = one.name + ' ' + one.state;
    return item;
  }));
});
parent.postMessage({ type: '@statelyai.connected' }, '*');
</script>`;
