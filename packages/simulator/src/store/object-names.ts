// The rules for names and labels, and how a server completes a generateName.
import type { Random } from '@liberator/core';
import { type FieldError, invalidValue } from './status-error.ts';

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomain = `${label}(\\.${label})*`;
const qualifiedName = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const labelValue = `(${qualifiedName})?`;

const labelPattern = new RegExp(`^${label}$`);
const subdomainPattern = new RegExp(`^${subdomain}$`);
const qualifiedNamePattern = new RegExp(`^${qualifiedName}$`);
const labelValuePattern = new RegExp(`^${labelValue}$`);

const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start " +
  "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is " +
  "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const labelRule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end " +
  "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is " +
  "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const labelValueRule =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start " +
  "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation " +
  "is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const qualifiedNameRule =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character " +
  "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is " +
  "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

/** How long a name may be, and of what; names end up in host names, file paths and labels. */
interface NameRule {
  readonly pattern: RegExp;
  readonly longest: number;
  readonly rule: string;
}

const subdomainNames: NameRule = { pattern: subdomainPattern, longest: 253, rule: subdomainRule };
const nameRules: ReadonlyMap<string, NameRule> = new Map([
  ['namespaces', { pattern: labelPattern, longest: 63, rule: labelRule }],
  ['services', { pattern: labelPattern, longest: 63, rule: labelRule }],
]);

/** What is wrong with the name of an object of a kind (by plural); empty when nothing is. */
export function nameErrors(plural: string, name: string): FieldError[] {
  const { pattern, longest, rule } = nameRules.get(plural) ?? subdomainNames;
  const errors: FieldError[] = [];
  if (name.length > longest) {
    errors.push(invalidValue('metadata.name', name, `must be no more than ${longest} characters`));
  }
  if (pattern === labelPattern && name.includes('.')) {
    errors.push(invalidValue('metadata.name', name, 'must not contain dots'));
  } else if (!pattern.test(name)) {
    errors.push(invalidValue('metadata.name', name, rule));
  }
  return errors;
}

/** What is wrong with a label key, an annotation key or a taint key. */
export function qualifiedNameProblems(key: string): string[] {
  const [first, second, ...rest] = key.split('/');
  if (rest.length > 0)
    return [
      `a valid label key ${qualifiedNameRule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  const problems: string[] = [];
  const name = second ?? first ?? '';
  if (second !== undefined) {
    if (first === '') problems.push('prefix part must be non-empty');
    else if (!subdomainPattern.test(first ?? '')) problems.push(`prefix part ${subdomainRule}`);
  }
  if (name === '') problems.push('name part must be non-empty');
  if (name.length > 63) problems.push('name part must be no more than 63 bytes');
  if (!qualifiedNamePattern.test(name)) problems.push(`name part ${qualifiedNameRule}`);
  return problems;
}

/** What is wrong with the value of a label. */
export function labelValueProblems(value: string): string[] {
  const problems: string[] = [];
  if (value.length > 63) problems.push('must be no more than 63 bytes');
  if (!labelValuePattern.test(value)) problems.push(labelValueRule);
  return problems;
}

/** Without vowels and without the digits that look like them, so that no word comes out by chance. */
const suffixLetters = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;
const longestGeneratedBase = 63 - suffixLength;

/** `base` with five random letters after it. */
export function generateName(base: string, random: Random): string {
  const letters = Array.from({ length: suffixLength }, () =>
    suffixLetters.charAt(Math.floor(random.next() * suffixLetters.length)),
  );
  return base.slice(0, longestGeneratedBase) + letters.join('');
}

/** A version 4 UUID out of the given source of chance, so that a run can be replayed with the very same uids. */
export function generateUid(random: Random): string {
  const bytes = Array.from({ length: 16 }, () => Math.floor(random.next() * 256));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
