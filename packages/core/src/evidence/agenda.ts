// What has to be looked at again and when, the earliest first: a heap that never changes, so that a world can be kept.

/** Something to be looked at again at a time. */
export interface Appointment {
  /** Monotonic milliseconds. */
  readonly at: number;
  readonly name: string;
}

/** A leftist heap; undefined when nothing is due. Adding and taking cost the logarithm of what is in it. */
export type Agenda = AgendaHeap | undefined;

interface AgendaHeap extends Appointment {
  readonly rank: number;
  readonly left: Agenda;
  readonly right: Agenda;
}

/** With one more in it. */
export function withAppointment(agenda: Agenda, { at, name }: Appointment): Agenda {
  return merge(agenda, { at, name, rank: 1, left: undefined, right: undefined });
}

/** Without the earliest. */
export function withoutFirst(agenda: Agenda): Agenda {
  return agenda === undefined ? undefined : merge(agenda.left, agenda.right);
}

function merge(one: Agenda, other: Agenda): Agenda {
  if (one === undefined) return other;
  if (other === undefined) return one;
  const [first, second] = one.at <= other.at ? [one, other] : [other, one];
  const right = merge(first.right, second);
  const { at, name, left } = first;
  return rankOf(left) >= rankOf(right)
    ? { at, name, left, right, rank: rankOf(right) + 1 }
    : { at, name, left: right, right: left, rank: rankOf(left) + 1 };
}

function rankOf(agenda: Agenda): number {
  return agenda?.rank ?? 0;
}
