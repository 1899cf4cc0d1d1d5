// The architecture page is true of the code: its rooms are there, and they import what it says they may.
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documentAt, root } from './documents.ts';

const core = join(root, 'packages/core/src');

interface Import {
  readonly from: string;
  readonly what: string;
  readonly typesOnly: boolean;
}

/** What the files of a room import from outside of it, tests aside. */
function importsOf(room: string): readonly Import[] {
  return globSync('**/*.ts', { cwd: join(core, room), exclude: (path) => path.endsWith('.test.ts') }).flatMap(
    (path) => {
      const source = readFileSync(join(core, room, path), 'utf8');
      const statements = source.matchAll(/^(?:import|export)\s([^'";]*?)from '([^']+)';/gms);
      return [...statements]
        .map(([, clause = '', what = '']) => ({
          from: `${room}/${path}`,
          what,
          typesOnly: clause.startsWith('type '),
        }))
        .filter(({ what }) => !join('/', room, path, '..', what).startsWith(`/${room}/`));
    },
  );
}

const rooms = readdirSync(core, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'testing')
  .map(({ name }) => name);

describe('the architecture page', () => {
  it('has every room of the core, and no other', () => {
    const [table] = documentAt('docs/architecture.md').tables.filter(({ columns }) => columns[0] === 'room');
    const documented = (table?.rows ?? [])
      .flatMap(([name = '']) => [...name.matchAll(/`([a-z]+)\/`/g)])
      .map(([, room = '']) => room);
    expect(documented.toSorted()).toEqual(rooms.toSorted());
  });

  it.each(['health', 'policy'])('is right that %s imports nothing of other rooms but types', (room) => {
    expect(importsOf(room).filter(({ typesOnly }) => !typesOnly)).toEqual([]);
  });

  it('is checked by what files really import', () => {
    expect(importsOf('takeover')).toContainEqual({
      from: 'takeover/pause.ts',
      what: '../election/leader-term.ts',
      typesOnly: false,
    });
  });

  it.each(['takeover', 'election'])('is right that %s reaches Kubernetes through its own port', (room) => {
    const direct = importsOf(room).filter(
      ({ what, typesOnly }) => what.includes('/kubernetes/') && !typesOnly,
    );
    expect(direct).toEqual([]);
  });

  it('is right that nothing in the core imports the agent or the simulator', () => {
    const others = rooms
      .flatMap(importsOf)
      .filter(({ what }) => /^@liberator\/|\.\.\/(agent|simulator)/.test(what));
    expect(others).toEqual([]);
  });
});
