// The grammar of `labelSelector`: what a client may ask for in a list or a watch, and what it means.
import { labelValueProblems, qualifiedNameProblems } from './object-names.ts';
import { badRequest } from './status-error.ts';

type Labels = Readonly<Record<string, string>> | undefined;

/** Whether labels fit a selector. */
export type LabelMatcher = (labels: Labels) => boolean;

interface Requirement {
  readonly key: string;
  readonly operator: 'exists' | 'absent' | 'in' | 'notin' | 'greater' | 'less';
  readonly values: readonly string[];
}

type Token =
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'sign'; readonly text: string };

/**
 * Reads a selector such as `app=web,tier in (a,b),!canary`. The empty one matches everything.
 *
 * @throws StatusError 400 where the real server says so.
 */
export function parseLabelSelector(selector: string): LabelMatcher {
  const requirements = new Parser(tokensOf(selector)).parse();
  if (requirements.length === 0) return () => true;
  return (labels) => requirements.every((requirement) => fits(requirement, labels));
}

function fits({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'exists':
      return value !== undefined;
    case 'absent':
      return value === undefined;
    case 'in':
      return value !== undefined && values.includes(value);
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'greater':
      return value !== undefined && isInteger(value) && BigInt(value) > BigInt(values[0] ?? '0');
    case 'less':
      return value !== undefined && isInteger(value) && BigInt(value) < BigInt(values[0] ?? '0');
  }
}

const isInteger = (text: string): boolean => /^-?\d+$/.test(text);

const signs = ['!=', '==', '=', '!', '(', ')', ',', '>', '<'];

function tokensOf(selector: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < selector.length) {
    const rest = selector.slice(at);
    const sign = signs.find((one) => rest.startsWith(one));
    const space = /^[ \t\r\n]+/.exec(rest);
    const word = /^[^ \t\r\n!=(),<>]+/.exec(rest);
    if (sign !== undefined) tokens.push({ kind: 'sign', text: sign });
    else if (word !== null) tokens.push({ kind: 'word', text: word[0] });
    at += sign?.length ?? space?.[0].length ?? word?.[0].length ?? 1;
  }
  return tokens;
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    while (this.#peek() !== undefined) {
      requirements.push(this.#requirement());
      const next = this.#peek();
      if (next === undefined) break;
      if (!this.#takeSign(',')) throw unparsable(`found '${next.text}', expected: ',' or 'end of string'`);
      const after = this.#peek();
      if (after === undefined || (after.kind === 'sign' && after.text !== '!')) {
        throw unparsable(`found '${after?.text ?? ''}', expected: identifier after ','`);
      }
    }
    return requirements;
  }

  #requirement(): Requirement {
    const negated = this.#takeSign('!');
    const key = this.#key();
    if (negated) return { key, operator: 'absent', values: [] };
    const next = this.#peek();
    if (next === undefined || (next.kind === 'sign' && next.text === ','))
      return { key, operator: 'exists', values: [] };
    this.#at += 1;
    switch (next.text) {
      case '=':
      case '==':
        return checked({ key, operator: 'in', values: [this.#value()] });
      case '!=':
        return checked({ key, operator: 'notin', values: [this.#value()] });
      case 'in':
      case 'notin':
        return checked({ key, operator: next.text, values: this.#values() });
      case '>':
        return checked({ key, operator: 'greater', values: [this.#value()] });
      case '<':
        return checked({ key, operator: 'less', values: [this.#value()] });
      default:
        throw unparsable(`found '${next.text}', expected: in, notin, =, ==, !=, gt, lt`);
    }
  }

  #key(): string {
    const token = this.#peek();
    if (token?.kind !== 'word') throw unparsable(`found '${token?.text ?? ''}', expected: identifier`);
    this.#at += 1;
    const [problem] = qualifiedNameProblems(token.text);
    if (problem !== undefined) {
      throw unparsable(`<nil>: Invalid value: ${JSON.stringify(token.text)}: ${problem}`);
    }
    return token.text;
  }

  /** A single value may be left out: `app=` asks for the empty one. */
  #value(): string {
    const token = this.#peek();
    if (token === undefined || (token.kind === 'sign' && token.text === ',')) return '';
    if (token.kind === 'sign') throw unparsable(`found '${token.text}', expected: identifier`);
    this.#at += 1;
    return token.text;
  }

  #values(): string[] {
    if (!this.#takeSign('(')) throw unparsable(`found '${this.#peek()?.text ?? ''}', expected: '('`);
    const values: string[] = [];
    for (;;) {
      const token = this.#peek();
      if (token?.kind === 'word') {
        values.push(token.text);
        this.#at += 1;
      } else if (token !== undefined && (token.text === ',' || token.text === ')')) {
        values.push('');
      }
      if (this.#takeSign(')')) return values;
      if (!this.#takeSign(',')) {
        throw unparsable(`found '${this.#peek()?.text ?? ''}', expected: ',', or ')'`);
      }
    }
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #takeSign(text: string): boolean {
    const token = this.#peek();
    if (token?.kind !== 'sign' || token.text !== text) return false;
    this.#at += 1;
    return true;
  }
}

function checked(requirement: Requirement): Requirement {
  const { key, operator, values } = requirement;
  if (operator === 'greater' || operator === 'less') {
    if (values.some((value) => !isInteger(value))) {
      throw unparsable("values[0]: Invalid value: for 'Gt', 'Lt' operators, the value must be an integer");
    }
    return requirement;
  }
  values.forEach((value, index) => {
    const [problem] = labelValueProblems(value);
    if (problem !== undefined) {
      throw unparsable(`values[${index}][${key}]: Invalid value: ${JSON.stringify(value)}: ${problem}`);
    }
  });
  return requirement;
}

const unparsable = (why: string): Error => badRequest(`unable to parse requirement: ${why}`);
