// What keeps a pod that was made anew from being Ready, in words that takeovers and drains share.
import type { Pod } from '../kubernetes/objects.ts';

/** Undefined when it is Ready. */
export function whyNotReady({ spec, status }: Pod): string | undefined {
  const condition = (type: string) => status?.conditions?.find((one) => one.type === type);
  if (spec?.nodeName === undefined) {
    const why = condition('PodScheduled')?.message;
    return `not scheduled yet${why ? `: ${why}` : ''}`;
  }
  const ready = condition('Ready');
  if (ready?.status === 'True') return undefined;
  return `starting on ${spec.nodeName}${ready?.reason ? ` (${ready.reason})` : ''}`;
}
