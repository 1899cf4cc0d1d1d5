// Reads a configuration file, and refuses it with every problem at once.
import { readFileSync } from 'node:fs';
import { type Alias, type Document, isNode, LineCounter, parseDocument, visit } from 'yaml';
import { exitCode } from '../process/exit-code.ts';
import { FatalError, sentenceOf } from '../process/failure.ts';
import { lookAtSurroundings, type Surroundings } from '../process/surroundings.ts';
import type { Config } from './config.ts';
import { contradictions, warnings } from './cross-checks.ts';
import { formatPath, type Problem, problemsOf } from './problem.ts';
import { keysAt, matchSchema } from './schema.ts';

/** Thrown for a configuration that can't be used. The message has one line for each problem. */
export class ConfigError extends FatalError {
  override readonly name = 'ConfigError';

  constructor(lines: readonly string[], cause?: unknown) {
    super(lines.join('\n'), { code: 'LIBERATOR_CONFIG', exitCode: exitCode.usage, cause });
  }
}

export interface ReadConfig {
  readonly config: Config;
  /** One line each, for what is allowed but hardly meant. */
  readonly warnings: readonly string[];
}

/**
 * @param surroundings - What counts where the file says nothing. Default: what this process finds around itself.
 * @throws {@link ConfigError}
 */
export function readConfig(path: string, surroundings: Surroundings = lookAtSurroundings()): ReadConfig {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError([`could not read the configuration ${path}: ${explain(error)}`], error);
  }
  return parseConfig(text, path, surroundings);
}

/**
 * @param origin how messages name the file
 * @throws {@link ConfigError}
 */
export function parseConfig(text: string, origin: string, surroundings: Surroundings): ReadConfig {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const at = (offset: number): string => `${origin}:${lineCounter.linePos(offset).line}`;
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map(({ pos, message }) => `${at(pos[0])}: not YAML: ${withoutSource(message)}`),
    );
  }
  const dangling = danglingAliases(document);
  if (dangling.length > 0) throw new ConfigError(dangling.map((offset) => `${at(offset)}: ${danglingAlias}`));
  const input = asValue(document, origin);
  const line = ({ path, message }: Problem): string => {
    const where = path.length === 0 ? '' : `${formatPath(path)}: `;
    return `${at(offsetOf(document, path))}: ${where}${message}`;
  };
  const inOrder = (problems: readonly Problem[]): readonly string[] =>
    problems.toSorted((a, b) => offsetOf(document, a.path) - offsetOf(document, b.path)).map(line);
  const matched = matchSchema(input, surroundings);
  if ('issues' in matched) {
    throw new ConfigError(inOrder(problemsOf(matched.issues, (path) => keysAt(path, input))));
  }
  const { config } = matched;
  const contradicting = contradictions(config);
  if (contradicting.length > 0) throw new ConfigError(inOrder(contradicting));
  return { config, warnings: warnings(config).map(line) };
}

/** What the parser quotes of the file may be a password. */
function withoutSource(message: string): string {
  return message.replace(/: .*$/s, '').replace(/^(Invalid escape sequence).*$/s, '$1');
}

const danglingAlias =
  'not YAML: what begins with "*" stands for an anchor, and there is none of that name before it; text has to be quoted';

/** Where aliases are that stand for nothing. */
function danglingAliases(document: Document): readonly number[] {
  const offsets: number[] = [];
  const look = (alias: Alias): void => {
    if (alias.resolve(document) === undefined) offsets.push(alias.range?.[0] ?? 0);
  };
  visit(document, { Alias: (_, alias) => look(alias) });
  return offsets;
}

function asValue(document: Document, origin: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    // So many aliases that the file would unfold without end.
    throw new ConfigError([`${origin}: not YAML: ${sentenceOf(error)}`], error);
  }
}

/** Where the file says it: the node itself or, when it isn't there, what should have held it. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function explain(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'this process may not read it';
  if (code === 'EISDIR') return 'it is a folder';
  return sentenceOf(error);
}
