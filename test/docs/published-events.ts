// Which Events are really published, with which type: by playing every moment of a takeover, and by reading the rest.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TakeoverRecord, takeoverSteps } from '@liberator/core';
import type { TakeoverProgress } from '../../packages/core/src/takeover/executor.ts';
import { eventFor } from '../../packages/core/src/telling/takeover-events.ts';
import { newRecord } from '../../packages/core/src/testing/dead-node.ts';
import { root } from '../documents/documents.ts';

const steps: readonly TakeoverProgress['step'][] = [...takeoverSteps, 'policy', 'undo', 'close', 'power-on'];
const phases: readonly TakeoverProgress['phase'][] = ['started', 'waiting', 'done', 'skipped', 'retrying'];
/** Whether a brake holds the same step of the same phase makes another Event of it. */
const brakes = [{}, { held: true as const }];

const core = join(root, 'packages/core/src');

/** What publishes Events beside the moments of a takeover, wherever it lies. Those are played: not every branch is one. */
const sources: readonly string[] = globSync('**/*.ts', { cwd: core }).filter(
  (path) => !/\.test\.ts$|(^|\/)testing\//.test(path) && path !== 'telling/takeover-events.ts',
);

/** Sorted, each as `Warning TakeoverHeld`. */
export function publishedEvents(): readonly string[] {
  const left = ['something'];
  const records = (step: TakeoverProgress['step']): readonly TakeoverRecord[] => [
    newRecord(),
    newRecord({ left, steps: { [step]: { startedAt: '', epoch: 1, left } } }),
  ];
  const played = steps.flatMap((step) =>
    records(step).flatMap((record) =>
      phases.flatMap((phase) =>
        brakes.flatMap((brake) => {
          const event = eventFor({ record, step, phase, detail: '', ...brake });
          return event === undefined ? [] : [`${event.type} ${event.reason}`];
        }),
      ),
    ),
  );
  return [...new Set([...played, ...sources.flatMap(read)])].toSorted();
}

function read(file: string): readonly string[] {
  const source = readFileSync(join(core, file), 'utf8');
  const found = source.matchAll(/(?:event\(\s*|type: )'(Normal|Warning)',\s*(?:reason: )?'(\w+)'/g);
  return [...found].map(([, type, reason]) => `${type} ${reason}`);
}
