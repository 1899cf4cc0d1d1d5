// A reflector of nodes over a scripted reader in virtual time, and a record of what it told its handlers.
import { onTestFinished } from 'vitest';
import type { Node } from '../kubernetes/objects.ts';
import { Reflector, type ReflectorOptions } from '../kubernetes/reflector.ts';
import { nodes } from '../kubernetes/resources.ts';
import { ManualClock } from './manual-clock.ts';
import { ScriptedReader, type WatchScript } from './scripted-reader.ts';

/** What the projection of these tests keeps. */
export interface Slim {
  readonly metadata: { readonly name: string; readonly uid: string; readonly resourceVersion: string };
}

export const project = ({ metadata: { name, uid, resourceVersion } }: Node): Slim => ({
  metadata: { name, uid, resourceVersion },
});
export const node = (name: string, resourceVersion = '1', uid = `uid-${name}`): Node => ({
  metadata: { name, uid, resourceVersion },
  status: { addresses: [] },
});

export interface Setup {
  readonly clock: ManualClock;
  readonly reader: ScriptedReader<Node>;
  readonly reflector: Reflector<Node, Slim>;
  /** What the handlers were told, in order. */
  readonly told: string[];
  readonly errors: { readonly error: unknown; readonly willRetryInMs: number | undefined }[];
}

export function reflect(overrides: Partial<ReflectorOptions<Node, Slim>> = {}, chance = 0): Setup {
  const clock = new ManualClock({ now: 1000 });
  const reader = new ScriptedReader<Node>(clock);
  const told: string[] = [];
  const errors: Setup['errors'] = [];
  const reflector = new Reflector<Node, Slim>({
    reader,
    resource: nodes,
    project,
    clock,
    random: { next: () => chance },
    handlers: {
      onAdded: ({ metadata }) => void told.push(`+${metadata.name}#${metadata.uid}`),
      onUpdated: (previous, current) =>
        void told.push(
          `~${current.metadata.name} ${previous.metadata.resourceVersion}>${current.metadata.resourceVersion}`,
        ),
      onDeleted: ({ metadata }) => void told.push(`-${metadata.name}#${metadata.uid}`),
      onSynced: () => void told.push('synced'),
      onError: (error, { willRetryInMs }) => void errors.push({ error, willRetryInMs }),
    },
    ...overrides,
  });
  onTestFinished(() => reflector.stop());
  return { clock, reader, reflector, told, errors };
}

/** Started, synced with these nodes at resourceVersion 10, and watching. */
export async function watching(setup: Setup, ...listed: Node[]): Promise<Setup> {
  setup.reader.lists.push({ items: listed, resourceVersion: '10' });
  setup.reflector.start();
  await setup.clock.advance(0);
  return setup;
}

export const latest = (reader: ScriptedReader<Node>): WatchScript<Node> => {
  const watch = reader.watches.at(-1);
  if (watch === undefined) throw new Error('no watch was opened');
  return watch;
};
