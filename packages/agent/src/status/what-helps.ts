// What stands before the command that confirms a death: where the machine is up, confirming is not the first thing to do.
import type { NodeView } from './status-view.ts';

export function whatHelps({ name, hostUp }: Pick<NodeView, 'name' | 'hostUp'>): readonly string[] {
  return hostUp
    ? [
        `The machine of ${name} is up, so what ran on it may still write: restart its kubelet.`,
        'Or power the machine off, and only then:',
      ]
    : ['Once you have made sure that the machine is off:'];
}

/** Both of them, one a line: the one that shows what it is about, and the bare one. */
export function waysToConfirm(node: string, command: string): readonly string[] {
  return [`  liberator confirm ${node}`, `  or: ${command}`];
}
