// A guard of your own: nothing is taken over before somebody has opened a ticket for it.
import { type Guard, hold, pass } from '@liberator/core/policy';

/** Whoever is on call writes the ticket's number here; a ticket for the whole rack would be a label just as well. */
export const ticketAnnotation = 'ops.example.com/ticket';

/**
 * Guards are pure: they see what the watches brought, and answer at once. They can hold what others let pass, never the
 * other way round, and their reasons are told wherever the built-in ones' are: in Events, metrics, logs and records.
 */
export const ticketGuard: Guard = {
  name: 'ticket',
  evaluate({ node }) {
    if (/^OPS-\d+$/.test(node.annotations[ticketAnnotation] ?? '')) return pass;
    return hold(`no ticket yet: kubectl annotate node ${node.name} ${ticketAnnotation}=OPS-...`);
  },
};
