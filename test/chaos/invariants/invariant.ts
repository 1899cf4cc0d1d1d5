// The shape of an invariant: one sentence that holds in every run, and what it looks at to know.
import type { Watched } from '../world/watcher.ts';
import type { World } from '../world/world.ts';

export type { Watcher } from '../world/watcher.ts';

export type Invariant = Watched<World>;
