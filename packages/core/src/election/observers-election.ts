// The election of those who only observe: they elect one among themselves, and never touch the Lease of those who act.

const suffix = '-observe';

/** The same election for replicas that only observe: its Lease has a name of its own. */
export function observersElection<E extends { readonly name: string }>(election: E): E {
  return { ...election, name: `${election.name}${suffix}` };
}

export function isObserversElection({ name }: { readonly name: string }): boolean {
  return name.endsWith(suffix);
}
