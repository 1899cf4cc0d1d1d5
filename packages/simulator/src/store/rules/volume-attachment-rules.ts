// VolumeAttachments: one volume, one node, for good.
import type { Draft } from '../draft.ts';
import { type FieldError, invalidValue, required } from '../status-error.ts';
import type { StoredObject } from '../store.ts';
import { fieldsOf, sameMeaning } from '../wire-value.ts';

export function volumeAttachmentErrors({ spec = {} }: Draft): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec['attacher']) errors.push(required('spec.attacher', ''));
  const source = fieldsOf(spec['source']);
  if (!source['persistentVolumeName'] && !source['inlineVolumeSpec']) {
    errors.push(
      required('spec.source', 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'),
    );
  }
  if (!spec['nodeName']) errors.push(required('spec.nodeName', ''));
  return errors;
}

export function volumeAttachmentChangeErrors({ spec }: Draft, current: StoredObject): FieldError[] {
  return sameMeaning(spec, current.spec) ? [] : [invalidValue('spec', spec, 'field is immutable')];
}
