// What the fencing rules of a policy must look like where they are stored: on records and in journals.

import type { FencingRules, Rung } from '../../fencing/fencing-rules.ts';
import type { AcceptableProof } from '../../fencing/proof.ts';
import { count, fields, list, type OptionalShape, optional, type Shape, text, word } from './shape.ts';

const milliseconds = count(Number.MAX_SAFE_INTEGER);

const acceptable = word<AcceptableProof>({
  'powered-off': true,
  rebooted: true,
  'instance-gone': true,
  isolated: true,
  'self-fenced': true,
  'confirmed-by-human': true,
});

/** A shape for each field. */
type FencingFields = {
  readonly proof: Shape<FencingRules['proof']>;
} & {
  readonly [K in
    | 'ladder'
    | 'accept'
    | 'giveUpAfterMs'
    | 'afterwards'
    | 'hungAfterMs'
    | 'maxCheckAgeMs']: OptionalShape<NonNullable<FencingRules[K]>>;
};

/** Field by field, `drivers` left out: whether it is always there differs. */
export const fencingFields: FencingFields = {
  ladder: optional(list(fields<Rung>({ fencer: text, forMs: optional(milliseconds) }))),
  proof: word({ required: true, optional: true }),
  accept: optional(list(acceptable)),
  giveUpAfterMs: optional(milliseconds),
  afterwards: optional(word({ 'leave-off': true, 'power-on': true })),
  hungAfterMs: optional(milliseconds),
  maxCheckAgeMs: optional(milliseconds),
};

/** As a policy has them. */
export const fencingRules: Shape<FencingRules> = fields<FencingRules>({
  ...fencingFields,
  drivers: optional(list(text)),
});
