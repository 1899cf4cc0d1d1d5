// What is wrong in a configuration file: where, what was expected, what was found.
import type * as z from 'zod';
import { nearest } from './nearest.ts';

export interface Problem {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

/** @param keysAt the keys that are known at a path, to suggest the one that was meant */
export function problemsOf(
  issues: readonly Issue[],
  keysAt: (path: readonly PropertyKey[]) => readonly string[],
): readonly Problem[] {
  return issues.flatMap((issue): readonly Problem[] => {
    const { path } = issue;
    if (issue.code === 'unrecognized_keys') {
      const known = keysAt(path);
      return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(key, known) }));
    }
    return [{ path, message: sentenceOf(issue) }];
  });
}

function unknownKey(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  const hint = meant === undefined ? `known here are ${known.join(', ')}` : `did you mean ${meant}?`;
  return `expected a known key, found ${key}: ${hint}`;
}

function sentenceOf(issue: Issue): string {
  const found = `found ${describe(issue.input)}`;
  switch (issue.code) {
    case 'invalid_type': {
      // What stands in the wrong place of a fencer may be its password.
      const what = issue.path[0] === 'fencers' ? `found ${kindOf(issue.input)}` : found;
      return `expected ${typeNames[issue.expected] ?? issue.expected}, ${what}`;
    }
    case 'invalid_value': {
      const choice = issue.values.map(String);
      const meant = typeof issue.input === 'string' ? nearest(issue.input, choice) : undefined;
      const expected = choice.length === 1 ? choice[0] : `one of ${choice.join(', ')}`;
      return `expected ${expected}, ${found}${meant === undefined ? '' : `: did you mean ${meant}?`}`;
    }
    case 'invalid_union':
      return unionWords(issue);
    case 'invalid_key':
      return issue.issues.map(sentenceOf).join(', ');
    case 'too_small':
      if (issue.origin === 'string') return 'expected text, found an empty one';
      if (issue.origin === 'array')
        return `expected at least ${issue.minimum} in the list, found an empty one`;
      return `expected at least ${issue.minimum}, ${found}`;
    case 'too_big':
      return `expected at most ${issue.maximum}${issue.origin === 'string' ? ' characters' : ''}, ${found}`;
    case 'invalid_format':
      return `${issue.message}, ${found}`;
    default:
      return issue.message;
  }
}

/** Kinds are told apart by one key, and what was found is the whole of it. */
function unionWords(issue: Extract<Issue, { code: 'invalid_union' }>): string {
  const key = issue.discriminator ?? 'mode';
  const said = (issue.input as Readonly<Record<string, unknown>> | null | undefined)?.[key];
  const kinds =
    'options' in issue && Array.isArray(issue.options)
      ? issue.options.filter((one) => one !== undefined).map(String)
      : [];
  const expected = kinds.length > 0 ? `one of ${kinds.join(', ')}` : 'a known kind';
  const meant = typeof said === 'string' ? nearest(said, kinds) : undefined;
  const hint = meant === undefined ? '' : `: did you mean ${meant}?`;
  return `expected ${expected}, found ${describe(said)}${hint}`;
}

function describe(value: unknown): string {
  if (typeof value === 'string')
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
  return typeof value === 'number' ? `the number ${value}` : kindOf(value);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value === 'string') return 'text';
  return typeof value === 'number' ? 'a number' : String(value);
}

/** `policies[0].detection.deadAfter` */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? String(step) : `.${String(step)}`;
  }
  return text;
}
