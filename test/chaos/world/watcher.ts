// Who looks on at a world: what is asked of them, and when.
import type { Machine } from '@liberator/simulator';
import type { AppliedWrite } from './front.ts';
import type { Replica } from './replica.ts';
import type { Write } from './writes.ts';

/** A write at the moment at which it leaves a replica. */
interface SentWrite {
  readonly replica: Replica;
  readonly write: Write;
}

/** What looks at one run. Every method returns what is wrong, or undefined. */
export interface Watcher {
  /** After every single event. */
  check?(): string | undefined;
  sent?(sent: SentWrite): string | undefined;
  /** Before the answer leaves the server. */
  applied?(applied: AppliedWrite): string | undefined;
  /** Right before a machine that has power is switched off. */
  fenced?(machine: Machine, by: string): string | undefined;
  /** As a device is told to harm a machine, whether that has power or not, and whatever comes of it. */
  ordered?(machine: Machine, by: string): string | undefined;
}

/** What holds in every run, and who sees to it in a run of its own world. */
export interface Watched<World> {
  readonly name: string;
  readonly sentence: string;
  watch(world: World): Watcher;
}
