// The grammar of `labelSelector`: what a client may ask for in a list or a watch, and what it means.
import { labelValueProblems, qualifiedNameProblems } from './object-names.ts';
import { badRequest, type StatusError } from './status-error.ts';
import { fieldsOf, isObject, type JsonObject, objectsIn } from './wire-value.ts';

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

/** Reads tokens one after the other; what it says when it is surprised is what the real server says. */
class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): Requirement[] {
    const requirements: Requirement[] = [];
    while (this.#peek() !== undefined) {
      if (!this.#startsRequirement()) throw this.#surprise("!, identifier, or 'end of string'");
      requirements.push(this.#requirement());
      if (this.#peek() === undefined) return requirements;
      if (!this.#takeSign(',')) throw this.#surprise("',' or 'end of string'");
      if (!this.#startsRequirement()) throw this.#surprise("identifier after ','");
    }
    return requirements;
  }

  #startsRequirement(): boolean {
    const token = this.#peek();
    return token !== undefined && (token.kind === 'word' || token.text === '!');
  }

  #requirement(): Requirement {
    const negated = this.#takeSign('!');
    const key = this.#key();
    if (negated) return { key, operator: 'absent', values: [] };
    const operator = this.#peek()?.text;
    if (operator === undefined || operator === ',') return { key, operator: 'exists', values: [] };
    switch (operator) {
      case '=':
      case '==':
        return checked({ key, operator: 'in', values: [this.#valueAfterOperator()] });
      case '!=':
        return checked({ key, operator: 'notin', values: [this.#valueAfterOperator()] });
      case '>':
        return checked({ key, operator: 'greater', values: [this.#valueAfterOperator()] });
      case '<':
        return checked({ key, operator: 'less', values: [this.#valueAfterOperator()] });
      case 'in':
      case 'notin':
        this.#at += 1;
        return checked({ key, operator, values: this.#values() });
      default:
        throw within(this.#surprise('in, notin, =, ==, !=, gt, lt'));
    }
  }

  #key(): string {
    const token = this.#peek();
    if (token?.kind !== 'word') throw within(this.#surprise('identifier'));
    this.#at += 1;
    const problems = qualifiedNameProblems(token.text);
    if (problems.length > 0) {
      throw within(badRequest(`<nil>: Invalid value: ${JSON.stringify(token.text)}: ${problems.join('; ')}`));
    }
    return token.text;
  }

  /** A single value may be left out: `app=` asks for the empty one. */
  #valueAfterOperator(): string {
    this.#at += 1;
    const token = this.#peek();
    if (token === undefined || (token.kind === 'sign' && token.text === ',')) return '';
    if (token.kind === 'sign') throw within(this.#surprise('identifier'));
    this.#at += 1;
    return token.text;
  }

  /** `(a,b)`; nothing before, between or after commas stands for the empty value. */
  #values(): string[] {
    const values = new Set<string>();
    if (!this.#takeSign('(')) throw within(badRequest(`found '${this.#found()}' expected: '('`));
    const first = this.#peek();
    if (first === undefined || (first.kind === 'sign' && first.text !== ',' && first.text !== ')')) {
      throw within(this.#surprise("',', ')' or identifier"));
    }
    for (let afterWord = false; !this.#takeSign(')'); ) {
      const token = this.#peek();
      if (token?.kind === 'word' && !afterWord) {
        values.add(token.text);
        this.#at += 1;
        afterWord = true;
      } else if (this.#takeSign(',')) {
        const next = this.#peek();
        if (!afterWord || (next?.kind === 'sign' && (next.text === ',' || next.text === ')'))) values.add('');
        afterWord = false;
      } else {
        throw within(this.#surprise(afterWord ? "',' or ')'" : "',', or identifier"));
      }
    }
    if (values.size === 0) values.add('');
    return [...values].sort();
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #found(): string {
    return this.#peek()?.text ?? '';
  }

  #takeSign(text: string): boolean {
    const token = this.#peek();
    if (token?.kind !== 'sign' || token.text !== text) return false;
    this.#at += 1;
    return true;
  }

  #surprise(expected: string): StatusError {
    return badRequest(`found '${this.#found()}', expected: ${expected}`);
  }
}

function checked(requirement: Requirement): Requirement {
  const { key, operator, values } = requirement;
  const errors = values.flatMap((value, index) => {
    const numeric = operator === 'greater' || operator === 'less';
    const notNumeric = numeric && !isInteger(value);
    const path = `values[${index}]`;
    return [
      ...(notNumeric
        ? [`${path}: Invalid value: "${value}": for 'Gt', 'Lt' operators, the value must be an integer`]
        : []),
      ...labelValueProblems(value).map(
        (why) => `${path}[${key}]: Invalid value: ${JSON.stringify(value)}: ${why}`,
      ),
    ];
  });
  if (errors.length === 0) return requirement;
  throw within(badRequest(errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]`));
}

/** What goes wrong inside of a requirement is reported as such. */
const within = (error: StatusError): StatusError =>
  badRequest(`unable to parse requirement: ${error.message}`);

/**
 * Whether labels fit a selector as objects carry it (`matchLabels`, `matchExpressions`). As everywhere in Kubernetes, an
 * empty selector takes everything, and none takes nothing.
 */
export function matchesSelector(selector: unknown, labels: Labels): boolean {
  if (!isObject(selector)) return false;
  const equal = Object.entries(fieldsOf(selector['matchLabels']));
  return (
    equal.every(([key, value]) => fits({ key, operator: 'in', values: [String(value)] }, labels)) &&
    objectsIn(selector['matchExpressions']).every((expression) => fits(requirementOf(expression), labels))
  );
}

const expressionOperators: Readonly<Record<string, Requirement['operator']>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: 'absent',
};

function requirementOf({ key, operator, values }: JsonObject): Requirement {
  return {
    key: String(key),
    operator: expressionOperators[String(operator)] ?? 'exists',
    values: Array.isArray(values) ? values.map(String) : [],
  };
}
