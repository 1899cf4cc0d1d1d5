// Two devices at work on one machine undo each other, and a turn that is begun anew never ends.
import type { TakeoverRecord } from '@liberator/core';
import type { Invariant } from './invariant.ts';

type Climb = NonNullable<TakeoverRecord['climb']>;

export const oneRungAtATime: Invariant = {
  name: 'one-rung-at-a-time',
  sentence:
    'A device acts only in its turn, which was on record before; no turn is begun twice in a round, whoever leads, and none out of order.',
  watch: (world) => {
    const seen = new Map<string, Climb>();
    return {
      ordered(machine, by) {
        if (world.human.hasSpoiledRecord(machine.name)) return undefined;
        const open = world.truth.records.filter(
          ({ node, result }) => node.name === machine.name && result === undefined,
        );
        const hasTurn = open.some(({ climb }) => {
          const turn = climb?.rungs[climb.rung];
          return turn?.fencer === by && turn.overMs === undefined;
        });
        if (hasTurn) return undefined;
        const turns = open.map(({ climb }) => climb?.rungs[climb.rung]?.fencer ?? 'nobody');
        return `${by} was used on ${machine.name} while it was the turn of ${turns.join(', ') || 'nobody'}`;
      },
      applied({ write, status }) {
        if (write.kind !== 'record' || status >= 300) return undefined;
        for (const { id, climb, node } of world.truth.records) {
          const before = seen.get(id);
          if (climb === undefined || before === climb) continue;
          seen.set(id, climb);
          if (before === undefined || world.human.hasSpoiledRecord(node.name)) continue;
          const wrong = whatIsWrong(before, climb);
          if (wrong !== undefined) return `the climb of ${id} ${wrong}`;
        }
        return undefined;
      },
    };
  },
};

function whatIsWrong(before: Climb, now: Climb): string | undefined {
  const [was, is] = [before, now].map(({ round, rung }) => round * 1_000 + rung);
  if (was === undefined || is === undefined || is < was) {
    return `went back from rung ${before.rung} of round ${before.round} to rung ${now.rung} of round ${now.round}`;
  }
  for (const [rung, turn] of now.rungs.entries()) {
    const earlier = before.rungs[rung];
    if (earlier?.round !== turn.round) continue;
    const { fencer, startedAt, beganMs, epoch } = turn;
    if (earlier.startedAt !== startedAt || earlier.beganMs !== beganMs || earlier.epoch !== epoch) {
      return `began the turn of ${fencer} in round ${turn.round} a second time, in term ${epoch} after term ${earlier.epoch}`;
    }
    if (earlier.overMs !== undefined && turn.overMs !== earlier.overMs) {
      return `had the turn of ${fencer} in round ${turn.round} end a second time`;
    }
  }
  return undefined;
}
