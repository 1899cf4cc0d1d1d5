// What people have vouched for on a Node, and what is spent once it has returned: the next death needs a word of its own.

import type { Node } from '../kubernetes/objects.ts';
import {
  confirmedByAnnotation,
  confirmedDeadAnnotation,
  confirmedReturnedAnnotation,
} from '../marks/confirmed.ts';

/** Names of annotations on this Node that mean nothing any more when it is trusted again. */
export function spentWordsOn({ metadata }: Node): readonly string[] {
  const words = [confirmedDeadAnnotation, confirmedByAnnotation, confirmedReturnedAnnotation];
  return words.filter((name) => metadata.annotations?.[name] !== undefined);
}
