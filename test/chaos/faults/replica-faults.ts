// What happens to replicas: they stop for a while, freeze, die, restart, or lose their way to the API or to everything.
import type { Dice } from '../world/dice.ts';
import type { PlannedFault, Shape } from '../world/scenario.ts';
import type { World } from '../world/world.ts';
import type { Fault } from './fault.ts';

const minute = 60_000;

const anyReplica = (dice: Dice, { replicas }: Pick<Shape, 'replicas'>): { target: string } => ({
  // The leader is the one whose faults matter, and which it is shows only when the fault begins.
  target: dice.chance(0.7) ? 'leader' : dice.of(replicas).name,
});

function victim(world: World, { target }: PlannedFault): World['replicas'][number] {
  const [first] = world.replicas;
  const found =
    target === 'leader' ? (world.replicas.find(({ leading }) => leading) ?? first) : world.replica(target);
  if (found === undefined) throw new RangeError('expected at least one replica, found none');
  return found;
}

/** A process that was stopped, or that waited for a processor or for memory. */
const pause: Fault = {
  kind: 'replica-pause',
  weight: 5,
  longestMs: 60_000,
  disturbs: true,
  draw: anyReplica,
  begin: (world, planned) => {
    const replica = victim(world, planned);
    world.note('chaos', `pauses ${replica.name}`);
    replica.pause(false);
    return () => replica.resume();
  },
};

/** A suspended virtual machine: its monotonic clock doesn't notice. */
const freeze: Fault = {
  kind: 'replica-freeze',
  weight: 3,
  longestMs: 60_000,
  disturbs: true,
  draw: anyReplica,
  begin: (world, planned) => {
    const replica = victim(world, planned);
    world.note('chaos', `freezes ${replica.name}`);
    replica.pause(true);
    return () => replica.resume();
  },
};

const kill: Fault = {
  kind: 'replica-crash',
  weight: 4,
  longestMs: 2 * minute,
  disturbs: true,
  draw: anyReplica,
  begin: (world, planned) => {
    const replica = victim(world, planned);
    world.note('chaos', `kills ${replica.name}`);
    replica.kill();
    return () => replica.start();
  },
};

const restart: Fault = {
  kind: 'replica-restart',
  weight: 2,
  longestMs: 0,
  disturbs: true,
  draw: anyReplica,
  begin: (world, planned) => {
    const replica = victim(world, planned);
    world.note('chaos', `restarts ${replica.name}`);
    replica.restart();
    return undefined;
  },
};

const cut: Fault = {
  kind: 'replica-cut',
  weight: 5,
  longestMs: 3 * minute,
  disturbs: true,
  draw: (dice, shape) => ({
    ...anyReplica(dice, shape),
    manner: dice.of(['silent', 'silent', 'refusing', 'isolated']),
  }),
  begin: (world, planned) => {
    const replica = victim(world, planned);
    world.note('chaos', `cuts ${replica.name} off`);
    replica.link.cut(planned.manner === 'refusing' ? 'refusing' : 'silent');
    replica.isolated = planned.manner === 'isolated';
    return () => {
      replica.link.heal();
      replica.isolated = false;
    };
  },
};

/** Somebody sets a clock, or NTP does. */
const wallClock: Fault = {
  kind: 'wall-clock-jump',
  weight: 3,
  longestMs: 0,
  disturbs: true,
  draw: (dice, shape) => ({ ...anyReplica(dice, shape), manner: String(dice.whole(-600, 600)) }),
  begin: (world, planned) => {
    const replica = victim(world, planned);
    // While it is frozen only wall time tells it how long: two failures at once that nobody promises to survive.
    if (replica.paused) return undefined;
    world.note('chaos', `sets the clock of ${replica.name} by ${planned.manner} s`);
    replica.jumpWallTime(Number(planned.manner) * 1_000);
    return undefined;
  },
};

export const replicaFaults: readonly Fault[] = [pause, freeze, kill, restart, cut, wallClock];
