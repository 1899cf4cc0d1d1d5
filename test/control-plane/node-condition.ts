// Names the state that a node is in, from what the kernel says, and decides which verb makes sense in it.
import { ClusterError } from './cluster-error.ts';
import type { ProcessState } from './process-guard.ts';

/** What can be done to a node. */
export type NodeVerb = 'crash' | 'stop-kubelet' | 'pause' | 'resume' | 'start' | 'cut' | 'heal';

/**
 * - `running`: all is well
 * - `paused`: the kubelet hangs; the kernel takes connections that nobody answers
 * - `cut`, `cut and paused`: the cable is out, the kubelet lives
 * - `kubelet stopped`: the machine is up and refuses connections
 * - `crashed`: the machine is gone
 */
export type NodeCondition = 'running' | 'paused' | 'cut' | 'cut and paused' | 'kubelet stopped' | 'crashed';

/** Nothing is remembered that could be looked up: a kubelet that ended by itself shows as stopped. */
export function nodeCondition(kubelet: ProcessState, linkUp: boolean): NodeCondition {
  switch (kubelet) {
    case 'running':
      return linkUp ? 'running' : 'cut';
    case 'stopped':
      return linkUp ? 'paused' : 'cut and paused';
    case 'gone':
      return linkUp ? 'kubelet stopped' : 'crashed';
  }
}

const POSSIBLE: Record<NodeVerb, readonly NodeCondition[]> = {
  crash: ['running', 'paused', 'cut', 'cut and paused', 'kubelet stopped'],
  'stop-kubelet': ['running', 'paused'],
  pause: ['running', 'cut'],
  resume: ['paused', 'cut and paused'],
  start: ['kubelet stopped', 'crashed'],
  cut: ['running', 'paused'],
  heal: ['cut', 'cut and paused'],
};

export function canDo(verb: NodeVerb, condition: NodeCondition): boolean {
  return POSSIBLE[verb].includes(condition);
}

/** Throws, in a sentence that says what would be possible, when the verb makes no sense. */
export function checkVerb(verb: NodeVerb, node: string, condition: NodeCondition): void {
  if (!canDo(verb, condition)) {
    const verbs = Object.keys(POSSIBLE) as NodeVerb[];
    const possible = verbs.filter((other) => canDo(other, condition)).join(', ');
    throw new ClusterError(
      'wrong-state',
      `Cannot ${verb} ${node}: it is ${condition}. Possible now: ${possible}.`,
    );
  }
}
