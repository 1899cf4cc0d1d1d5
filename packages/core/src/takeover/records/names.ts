// Under which name the record of a takeover lies in the cluster.

const namePrefix = 'liberator-takeover-';

/** Name of the ConfigMap that holds the record of the takeover with this id. */
export function recordName(id: string): string {
  return `${namePrefix}${id}`;
}

/** The id under which a ConfigMap of this name would be read; undefined when no record has such a name. */
export function recordIdIn(name: string): string | undefined {
  return name.startsWith(namePrefix) ? name.slice(namePrefix.length) : undefined;
}
