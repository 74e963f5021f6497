import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createMachine } from 'xstate';
import { jobMachine } from '../../machines/job.ts';
import { supervisorMachine } from '../../machines/supervisor.ts';
import { diagramOf, withDiagrams } from '../../src/diagrams/diagram.ts';

const readme = readFileSync(new URL('../../machines/README.md', import.meta.url), 'utf8');

describe('the message table', () => {
  test('names every event that a machine hears or sends', () => {
    const heard = [...jobMachine.events, ...supervisorMachine.events].filter(
      (type) => !type.startsWith('xstate.'),
    );
    const sent = ['permit.requested', 'permit.released', 'room.changed', 'claim.refused'];
    for (const type of [...heard, ...sent]) expect(readme).toContain(`| \`${type}\``);
  });
});

describe('the diagrams', () => {
  test('in machines/README.md are those of the machines; npm run diagrams draws them anew', () => {
    expect(withDiagrams(readme, [jobMachine, supervisorMachine])).toBe(readme);
    expect(readme).toContain(diagramOf(jobMachine));
    expect(readme).toContain(diagramOf(supervisorMachine));
  });

  test('leave blocks alone whose machine nobody gave', () => {
    expect(withDiagrams(readme, [])).toBe(readme);
  });

  test('lift a transition to where both ends are siblings, and draw a transient state as the start', () => {
    const machine = createMachine({
      id: 'lamp',
      initial: 'route',
      on: { broken: { actions: 'log' } },
      states: {
        route: { tags: 'transient', always: [{ guard: 'isDark', target: 'on' }, { target: 'off' }] },
        off: { on: { press: 'on', look: { actions: 'blink' } } },
        on: {
          entry: 'shine',
          initial: 'dim',
          states: { dim: { on: { press: 'bright' } }, bright: { on: { press: '#lamp.gone' } } },
        },
        gone: { type: 'final' },
      },
    });
    expect(diagramOf(machine).split('\n')).toEqual([
      'stateDiagram-v2',
      '  state "off" as off',
      '  off : look / blink',
      '  state "on" as on {',
      '    state "dim" as on_dim',
      '    state "bright" as on_bright',
      '    [*] --> on_dim',
      '    on_dim --> on_bright : press',
      '  }',
      '  note left of on',
      '    everywhere in on',
      '    entry / shine',
      '  end note',
      '  state "gone" as gone',
      '  gone --> [*]',
      '  [*] --> on : [isDark]',
      '  [*] --> off : [else]',
      '  off --> on : press',
      '  on --> gone : press (bright)',
      '  note left of off',
      '    everywhere',
      '    broken / log',
      '  end note',
    ]);
  });

  test('name every visible state and every named guard and action of both machines', () => {
    for (const machine of [jobMachine, supervisorMachine]) {
      const { guards, actions } = machine.implementations;
      const drawn = diagramOf(machine);
      for (const name of [...Object.keys(guards), ...Object.keys(actions)]) expect(drawn).toContain(name);
    }
  });
});
