// Events: where one may live depends on what it is about, and the newer sort has more to fill in.
import type { Draft } from '../draft.ts';
import { qualifiedNameProblems } from '../object-names.ts';
import { type FieldError, invalidValue, required } from '../status-error.ts';
import { fieldsOf } from '../wire-value.ts';

const longest: readonly (readonly [field: string, characters: number])[] = [
  ['reportingInstance', 128],
  ['action', 128],
  ['reason', 128],
  ['message', 1024],
];

export function eventErrors(draft: Draft): FieldError[] {
  const about = String(fieldsOf(draft['involvedObject'])['namespace'] ?? '');
  const home = draft.metadata.namespace ?? '';
  const misplaced = invalidValue('involvedObject.namespace', about, 'does not match event.namespace');
  if (!draft['eventTime']) {
    // An event about something outside of namespaces lives in `default`.
    return home === (about === '' ? 'default' : about) ? [] : [misplaced];
  }
  const text = (field: string): string => String(draft[field] ?? '');
  const errors: FieldError[] =
    about === '' && home !== 'default' && home !== 'kube-system' ? [misplaced] : [];
  if (text('reportingComponent') === '') errors.push(required('reportingComponent', ''));
  for (const why of qualifiedNameProblems(text('reportingComponent'))) {
    errors.push(invalidValue('reportingComponent', text('reportingComponent'), why));
  }
  for (const field of ['reportingInstance', 'action', 'reason']) {
    if (text(field) === '') errors.push(required(field, ''));
  }
  for (const [field, characters] of longest) {
    if (text(field).length > characters)
      errors.push(invalidValue(field, '', `can have at most ${characters} characters`));
  }
  return errors;
}
