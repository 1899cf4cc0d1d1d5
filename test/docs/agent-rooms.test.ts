// The architecture page is true of the agent, too: it has the rooms that are there, in the order in which they may import.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rooms } from '../../rooms.config.ts';
import { documentAt, root } from '../documents/documents.ts';

describe('the architecture page', () => {
  const [, table] = documentAt('docs/architecture.md').tables.filter(({ columns }) => columns[0] === 'room');

  it('has the rooms of the agent from the ground up', () => {
    expect(table?.rows.map(([name]) => name)).toEqual(rooms.agent.map((room) => `\`${room}/\``));
  });

  it.each(['core', 'simulator', 'agent'] as const)('is about rooms that %s has', (name) => {
    const folders = readdirSync(join(root, 'packages', name, 'src'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'testing')
      .map((entry) => entry.name);
    expect(folders).toEqual(rooms[name].toSorted());
  });
});
