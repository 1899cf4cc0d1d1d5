// Which objects a list or a watch is about, whoever asks: an API request or a controller.
import { parseFieldSelector } from './field-selector.ts';
import { parseLabelSelector } from './label-selector.ts';
import type { ListOptions, ResourceType, StoredObject } from './store.ts';

/** Whether an object is one of those that were asked for. */
export type Selection = (object: StoredObject) => boolean;

/** @throws StatusError 400 for a selector that can't be read. */
export function selectionOf(
  type: ResourceType,
  { namespace = '', fieldSelector = '', labelSelector = '' }: ListOptions,
): Selection {
  const fields = parseFieldSelector(type, fieldSelector);
  const labels = parseLabelSelector(labelSelector);
  return (object) =>
    (namespace === '' || object.metadata.namespace === namespace) &&
    fields(object) &&
    labels(object.metadata.labels);
}
