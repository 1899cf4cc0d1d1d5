// Fills in what differs from machine to machine: addresses, file names and parameters of fence devices.
import type { FenceTarget } from './fence-target.ts';

/** A template that can't be filled in, for this machine or for any. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  /** Tells it from other errors. */
  readonly code = 'LIBERATOR_TEMPLATE';
}

/**
 * Where the filled-in value goes, which decides what it may consist of: values come from labels and annotations that a kubelet
 * may be able to set itself, and must not reach beyond their place.
 *
 * - `host`: part of a URL's host, or of another address: letters, digits, `.`, `-`, `:`, `[` and `]`.
 * - `segment`: one part of a path, of a URL or of a file: letters, digits, `.`, `_` and `-`, and not only dots.
 * - `word`: whatever has no control characters, quotes, backslashes or blanks at its ends.
 */
export type TemplatePlace = 'host' | 'segment' | 'word';

const fits: Readonly<Record<TemplatePlace, (value: string) => boolean>> = {
  host: (value) => /^[A-Za-z0-9.:[\]-]{1,253}$/.test(value),
  segment: (value) => /^[A-Za-z0-9._-]{1,253}$/.test(value) && !/^[.]+$/.test(value),
  word: (value) => /^[^\p{Cc}\p{Cf}"'`\\]{1,512}$/u.test(value) && value.trim() === value,
};

const shapes: Readonly<Record<TemplatePlace, string>> = {
  host: 'a host name or an address',
  segment: 'one part of a path',
  word: 'one line without quotes, backslashes and outer blanks',
};

/** What a template is filled in from. */
export type TemplateSource = Pick<FenceTarget, 'name' | 'uid' | 'noted'>;

/** What may stand between braces. Those that end with a dot take a key: `{label.topology.kubernetes.io/rack}`. */
const variables: Readonly<Record<string, (target: TemplateSource, key: string) => string | undefined>> = {
  name: ({ name }) => name,
  uid: ({ uid }) => uid,
  systemUUID: ({ noted }) => noted.machine.systemUuid,
  machineID: ({ noted }) => noted.machine.machineId,
  providerID: ({ noted }) => noted.machine.providerId,
  // As the cloud's own API names it: `i-0abc` of `aws:///eu-central-1a/i-0abc`.
  instanceID: ({ noted }) => noted.machine.providerId.split('/').at(-1),
  'label.': ({ noted }, key) => own(noted.labels, key),
  'annotation.': ({ noted }, key) => own(noted.annotations, key),
  'address.': ({ noted }, key) => noted.addresses.find(({ type }) => type === key)?.address,
};

const placeholder = /[{]([^{}]*)[}]/g;

/** What is wrong with a template, whichever machine it is for; undefined when nothing is. */
export function templateFault(template: string): string | undefined {
  for (const [, inside = ''] of template.matchAll(placeholder)) {
    if (lookUp(inside) === undefined) {
      return `{${inside}} is nothing that is known of a node: there are {name}, {uid}, {systemUUID}, {machineID}, {providerID}, {instanceID}, {label.KEY}, {annotation.KEY} and {address.TYPE}`;
    }
  }
  return /[{}]/.test(template.replaceAll(placeholder, ''))
    ? 'a brace is never closed, or never opened'
    : undefined;
}

/** What stands between its braces, in order: `label.topology.kubernetes.io/rack`. */
export function placeholdersIn(template: string): readonly string[] {
  return [...template.matchAll(placeholder)].map(([, inside = '']) => inside);
}

/** Whether it differs from machine to machine. */
export function isTemplate(template: string): boolean {
  return template.search(placeholder) !== -1;
}

/**
 * The template with each `{...}` replaced by what was noted of the machine. What is filled in stays in its place: see
 * {@link TemplatePlace}. A placeholder may stand for a whole URL's `host` only where the operator says which hosts may be meant.
 *
 * @throws {@link TemplateError} when something is not known of this machine, or is not what may stand there.
 */
export function fillIn(template: string, target: TemplateSource, place: TemplatePlace): string {
  const fault = templateFault(template);
  if (fault !== undefined) throw new TemplateError(fault);
  return template.replaceAll(placeholder, (_, inside: string) => {
    const value = lookUp(inside)?.(target);
    if (value === undefined || value === '') throw new TemplateError(`${target.name} has no ${inside}`);
    if (!fits[place](value)) throw new TemplateError(`${inside} of ${target.name} is not ${shapes[place]}`);
    return value;
  });
}

function lookUp(inside: string): ((target: TemplateSource) => string | undefined) | undefined {
  const dot = inside.indexOf('.') + 1;
  const name = inside.slice(0, dot);
  const key = inside.slice(dot);
  const plain = own(variables, inside);
  if (plain !== undefined && dot === 0) return (target) => plain(target, '');
  const keyed = dot > 0 && key !== '' ? own(variables, name) : undefined;
  return keyed && ((target) => keyed(target, key));
}

function own<T>(mapping: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(mapping, key) ? mapping[key] : undefined;
}
