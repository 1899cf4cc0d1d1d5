// The mark of people who work on a node: how it is written, and what it means.

/** Somebody's work on a node, during which it is not to be taken over. */
export interface MaintenanceHold {
  /** Who does what, for people. */
  readonly words: string;
  /** For how long it counts. */
  readonly holdMs: number;
  /** Monotonic time at which our own watch first brought it as it is now. */
  readonly seenAt: number;
}

/**
 * On a Node: somebody maintains it, and it is not to be taken over meanwhile. A drain writes JSON and renews it while it
 * goes on; any other text counts as the reason of whoever wrote it. It counts only while the node is cordoned, and for
 * a limited time after its last change: see `readMaintenance`.
 */
export const maintenanceAnnotation = 'liberator.dev/maintenance';

/** What a drain says of itself on the Node. Times are for people: nothing is ever decided by them. */
export interface MaintenanceMark {
  /** Who does it: `alice@laptop`. */
  readonly by: string;
  /** `drained`: every pod that had to go is gone, and the node is somebody's to work on. */
  readonly phase: 'draining' | 'drained';
  /** When the work began, ISO 8601. */
  readonly since: string;
  /** The last sign of life of whoever works on it, ISO 8601. */
  readonly renewed: string;
  /** For how long this mark holds takeovers from when it is first seen. */
  readonly holdSeconds: number;
  /**
   * The StatefulSet pod that was on its way when this was written: a drain that goes on after another one waits for it
   * before it touches the next.
   */
  readonly moving?: MovingPod;
}

/** A pod that leaves a node, and what it has to have when it is back elsewhere. */
export interface MovingPod {
  /** Its namespace. */
  readonly namespace: string;
  /** Its name, which its replacement has too. */
  readonly name: string;
  /** Of the pod that leaves. */
  readonly uid: string;
  /** Who makes it anew. */
  readonly statefulSet: string;
  /** Its claims, each with the volume that it was bound to, if it was. */
  readonly volumes: readonly { readonly claim: string; readonly volume?: string }[];
}

/** What somebody wrote by hand, who said nothing of how long. */
const defaultHoldMs = 3_600_000;

/** Whatever a mark says: one that was forgotten must not keep a node from being recovered for ever. */
const longestHoldMs = 24 * 3_600_000;

const longestWords = 200;

/** The text of the annotation. */
export function writeMaintenance(mark: MaintenanceMark): string {
  return JSON.stringify(mark);
}

/** Undefined for anything that no drain of ours wrote. */
export function readMark(text: string | undefined): MaintenanceMark | undefined {
  try {
    const mark = JSON.parse(text ?? '') as Partial<MaintenanceMark>;
    const { by, phase, since, renewed, holdSeconds, moving } = mark;
    const isMark =
      typeof by === 'string' &&
      (phase === 'draining' || phase === 'drained') &&
      typeof since === 'string' &&
      typeof renewed === 'string' &&
      typeof holdSeconds === 'number' &&
      holdSeconds >= 0;
    if (!isMark) return undefined;
    return { by, phase, since, renewed, holdSeconds, ...(isMovingPod(moving) && { moving }) };
  } catch {
    return undefined;
  }
}

function isMovingPod(value: unknown): value is MovingPod {
  const { namespace, name, uid, statefulSet, volumes } = (value ?? {}) as Partial<MovingPod>;
  return (
    [namespace, name, uid, statefulSet].every((text) => typeof text === 'string') &&
    Array.isArray(volumes) &&
    volumes.every((one) => typeof one?.claim === 'string')
  );
}

/**
 * What the annotation means to the guard. At most 24 h, whatever it says; an hour when it does not say; and from when
 * *we* first saw this very text, since clocks of laptops are anybody's guess.
 */
export function readMaintenance(text: string): Omit<MaintenanceHold, 'seenAt'> {
  const mark = readMark(text);
  if (mark === undefined) return { words: `under maintenance: ${shortened(text)}`, holdMs: defaultHoldMs };
  const { by, phase, since, holdSeconds } = mark;
  const what = phase === 'draining' ? 'is draining it' : 'drained it to work on it';
  return {
    words: `${shortened(by)} ${what} (since ${shortened(since)})`,
    holdMs: Math.min(holdSeconds * 1_000, longestHoldMs),
  };
}

/** It goes into Events, which take no more than 1,024 characters with all that is said beside it. */
function shortened(text: string): string {
  return text.length <= longestWords ? text : `${text.slice(0, longestWords)}...`;
}
