// A device that several machines share: one waits for its turn there, and what would cut another one's power is not done.
import { deviceOf } from '../fencing/fence-device.ts';
import type { FenceMachine } from '../fencing/fence-target.ts';
import type { FenceDevice, Fencer } from '../fencing/fencer.ts';
import { type StepContext, type StepResult, wait, wordsOf } from './step.ts';

/** How often to look while a device is busy; its turn is told at once. */
const lookEveryMs = 2_000;

/** Whether a fencer may go to its device now. */
export type AtDevice =
  | { readonly outcome: 'go' }
  | { readonly outcome: 'wait'; readonly result: StepResult }
  /** Not this machine, by this fencer. */
  | { readonly outcome: 'refused'; readonly detail: string };

/** Takes a turn at the fencer's device, where it shares one. Leaving it is for whoever carries the takeover. */
export function takeTurn(context: StepContext, fencer: Fencer, machine: FenceMachine): AtDevice {
  let device: FenceDevice | undefined;
  try {
    device = deviceOf(fencer, machine);
  } catch (error) {
    return { outcome: 'refused', detail: `nobody can say which device it is: ${wordsOf(error)}` };
  }
  if (device === undefined) return { outcome: 'go' };
  const shared = feedsAnother(context, device, machine);
  if (shared !== undefined) return { outcome: 'refused', detail: shared };
  const { record, devices } = context;
  devices.ask(device.key, device.concurrency, { id: record.id, node: record.node.name });
  const result = stillWaits(context, fencer.name);
  return result === undefined ? { outcome: 'go' } : { outcome: 'wait', result };
}

/** What it waits for at its device; undefined when it waits for none. */
export function stillWaits({ record, devices }: StepContext, fencer: string): StepResult | undefined {
  const turn = devices.turnOf(record.id);
  if (turn?.outcome !== 'busy') return undefined;
  const { key, before } = turn;
  // Whoever is far behind need not be told of each that has its turn before.
  const who = before === 0 ? turn.with.join(', ') : `others, and ${before} more wait before it`;
  const words = `${fencer}: waits for ${key}, which is at work on ${who}`;
  return { ...wait(words, lookEveryMs), spares: true, atDevice: true, sooner: turn.turn };
}

/** Why a fence by this fencer would hit another node as well, which lives; undefined when it would not. */
export function hitsAnother(context: StepContext, fencer: Fencer, machine: FenceMachine): string | undefined {
  try {
    const device = deviceOf(fencer, machine);
    return device && feedsAnother(context, device, machine);
  } catch (error) {
    return wordsOf(error);
  }
}

/** Looked up when it is needed and not before: every node of the fleet is asked about, by every fencer that shares devices. */
function feedsAnother(
  { neighbours, fencers }: StepContext,
  { key, switches = [] }: FenceDevice,
  machine: FenceMachine,
): string | undefined {
  if (switches.length === 0) return undefined;
  const ours = new Set(switches);
  const sharing = [...fencers.values()].filter(({ device }) => device !== undefined);
  for (const { lives, ...other } of neighbours()) {
    if (!lives || other.name === machine.name) continue;
    for (const fencer of sharing) {
      const both = deviceOrNone(fencer, other, key)?.switches?.find((one) => ours.has(one));
      if (both !== undefined) return `${both} of ${key} feeds ${other.name} as well, which lives`;
    }
  }
  return undefined;
}

/** Of another machine: one for which a fencer was not meant names no device of it. */
function deviceOrNone(fencer: Fencer, machine: FenceMachine, key: string): FenceDevice | undefined {
  try {
    const device = fencer.device?.(machine);
    return device?.key === key && Array.isArray(device.switches) ? device : undefined;
  } catch {
    return undefined;
  }
}
