// The shape of an invariant: one sentence that holds in every run, and what it looks at to know.
import type { Machine } from '@liberator/simulator';
import type { AppliedWrite } from '../world/front.ts';
import type { Replica } from '../world/replica.ts';
import type { World } from '../world/world.ts';
import type { Write } from '../world/writes.ts';

/** A write at the moment at which it leaves a replica. */
interface SentWrite {
  readonly replica: Replica;
  readonly write: Write;
}

/** What an invariant looks at in one run. Every method returns what is wrong, or undefined. */
export interface Watcher {
  /** After every single event. */
  check?(): string | undefined;
  sent?(sent: SentWrite): string | undefined;
  /** Before the answer leaves the server. */
  applied?(applied: AppliedWrite): string | undefined;
  /** Right before a machine that has power is switched off. */
  fenced?(machine: Machine, by: string): string | undefined;
}

export interface Invariant {
  readonly name: string;
  readonly sentence: string;
  watch(world: World): Watcher;
}
