// The architecture page is true of the code: its rooms are there, and so is every file and function that it names.
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pure, rooms } from '../../rooms.config.ts';
import { documentAt, root } from '../documents/documents.ts';

const core = join(root, 'packages/core/src');

const sources: readonly string[] = globSync('**/*.ts', { cwd: core }).filter(
  (path) => !/\.test\.ts$|(^|\/)testing\//.test(path),
);

const { tables } = documentAt('docs/architecture.md');

/** What a cell names, one word in code type after the other. */
const namesIn = (cell = ''): readonly string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);

const isPure = (path: string): boolean =>
  Object.values(pure).some(
    ({ path: within, pathNot }) =>
      new RegExp(within).test(`packages/core/src/${path}`) &&
      !(pathNot !== undefined && new RegExp(pathNot).test(`packages/core/src/${path}`)),
  );

interface NamedFunction {
  readonly file: string;
  readonly name: string;
}

/** A walk names a file, then what the way goes through in it, in one cell. */
function walkedIn(cell = ''): readonly NamedFunction[] {
  let file = '';
  return namesIn(cell).flatMap((name) => {
    if (!name.endsWith('.ts')) return [{ file, name }];
    file = name;
    return [];
  });
}

/** Whether a function, a method or a step bears this name in the file, as against being called there. */
function declares(source: string, name: string): boolean {
  const isFunction = new RegExp(`^(?:export )?(?:async )?(?:function|const) ${name}\\b`, 'm');
  // A call ends before it comes to a brace, or has an arrow before it.
  const isMethod = new RegExp(`^ {2}(?:async )?${name}[(<](?:(?!=> \\{)[^;])*?\\{$`, 'm');
  return isFunction.test(source) || isMethod.test(source);
}

describe('the architecture page', () => {
  const [table] = tables.filter(({ columns }) => columns[0] === 'room');

  it('has the rooms of the core from the ground up', () => {
    expect(table?.columns).toEqual(['room', 'kept pure', 'what it knows']);
    expect(table?.rows.map(([name]) => name)).toEqual(rooms.core.map((room) => `\`${room}/\``));
  });

  it.each(rooms.core)('is right about what of %s is kept pure', (room) => {
    const said = table?.rows.find(([name]) => name === `\`${room}/\``)?.[1] ?? '';
    const inside = sources
      .filter((path) => path.startsWith(`${room}/`))
      .map((path) => ({ path: path.slice(room.length + 1), pure: isPure(path) }));
    const named = namesIn(said);
    const isNamed = (path: string): boolean => named.some((name) => path.startsWith(name));
    // Three ways to say it: nothing, all but what is named, or only what is named.
    const kept = said.startsWith('all')
      ? inside.filter(({ path }) => !isNamed(path))
      : inside.filter(({ path }) => isNamed(path));
    expect(kept).toEqual(inside.filter((file) => file.pure));
    expect(said === '-').toBe(kept.length === 0);
  });

  it('has every file that stands beside the rooms, and no other', () => {
    const [beside] = tables.filter(({ columns }) => columns[0] === 'file');
    const files = readdirSync(core).filter((name) => /(?<!\.test)\.ts$/.test(name));
    expect(beside?.rows.flatMap(([name]) => namesIn(name)).toSorted()).toEqual(files.toSorted());
  });

  it.each([
    ['takeover', ['custom-resources.ts', 'guarded-cluster.ts', 'records/takeover-records.ts']],
    ['election', ['lease-store.ts']],
  ])('is right that in %s the adapters alone know the wire', (room, adapters) => {
    const onTheWire = sources.filter((path) => {
      if (!path.startsWith(`${room}/`)) return false;
      const source = readFileSync(join(core, path), 'utf8');
      return [...source.matchAll(/^import (?!type )[^'";]*from '[./]*\/kubernetes\//gm)].length > 0;
    });
    expect(onTheWire.toSorted()).toEqual(adapters.map((path) => `${room}/${path}`));
  });

  it('draws rooms and files that there are', () => {
    const picture = readFileSync(join(root, 'docs/pictures/architecture.svg'), 'utf8');
    const drawn = [...picture.matchAll(/<text class="h"[^>]*>([\w/.-]+)</g)].map(([, name = '']) => name);
    expect(drawn.length).toBeGreaterThan(5);
    expect(drawn.filter((name) => !existsSync(join(core, name)))).toEqual([]);
  });
});

describe('the walk of one renewal', () => {
  const rows = tables
    .filter(({ columns }) => columns.includes('where'))
    .flatMap((walk) => {
      const at = walk.columns.indexOf('where');
      return walk.rows.flatMap((row) => walkedIn(row[at]));
    });

  it('goes all the way from the watch to the end of the takeover', () => {
    const files = rows.map(({ file }) => file);
    expect(files[0]).toBe('kubernetes/reflector.ts');
    expect(rows.at(-1)).toEqual({ file: 'takeover/record.ts', name: 'close' });
    expect(new Set(files).size).toBeGreaterThan(20);
  });

  it('goes through functions that are declared where it says', () => {
    const strangers = rows.filter(({ file, name }) => {
      const path = join(core, file);
      return !existsSync(path) || !declares(readFileSync(path, 'utf8'), name);
    });
    expect(strangers).toEqual([]);
  });

  it('knows a function that is declared from one that is merely called', () => {
    const source = [
      'export function step() {',
      '  look();',
      '  ask(() => {',
      '  });',
      '}',
      'class Loop {',
      '  async #round(',
      '    at: number,',
      '  ): Promise<void> {',
      '  }',
      '}',
    ].join('\n');
    const names = ['step', 'look', 'ask', '#round', 'round', 'st'];
    expect(names.filter((name) => declares(source, name))).toEqual(['step', '#round']);
  });
});
