// Every command that a document tells people to type could be typed: the program, its verbs and its flags are there.
import { describe, expect, it } from 'vitest';
import { documents, fencesIn } from '../documents/documents.ts';
import { whatIsWrong, whatIsWrongWithName } from './programs.ts';
import { commandsOf } from './shell.ts';

interface Typed {
  readonly at: string;
  readonly words: readonly string[];
}

const typed: readonly Typed[] = [
  ...fencesIn('sh').flatMap(({ at, text, line }) => commandsIn(at, text, line)),
  // What follows "$ " is typed, the rest is the answer.
  ...fencesIn('console').flatMap(({ at, text, line }) =>
    text
      .split('\n')
      .flatMap((row, index) => (row.startsWith('$ ') ? commandsIn(at, row.slice(2), line + index) : [])),
  ),
];

/** Commands within sentences: whole ones, or only their names. */
const mentioned: readonly Typed[] = documents.flatMap(({ path, code }) =>
  code
    .filter(({ text }) => /^(liberator|npm|npx|kubectl|helm) /.test(text))
    .flatMap(({ text, line }) => commandsIn(`${path}:${line}`, text, line)),
);

function commandsIn(at: string, text: string, line: number): readonly Typed[] {
  const path = at.replace(/:\d+$/, '');
  return commandsOf(text, line).map((command) => ({ at: `${path}:${command.line}`, words: command.words }));
}

it('can be typed as they stand, all of them', () => {
  expect(typed.length).toBeGreaterThan(30);
  expect(problems(typed, whatIsWrong)).toEqual([]);
});

it('are called by their names in sentences, too', () => {
  const isName = ({ words }: Typed): boolean => words.length === 2;
  expect(problems(mentioned.filter(isName), whatIsWrongWithName)).toEqual([]);
  const whole = mentioned.filter((one) => !isName(one));
  expect(problems(whole, whatIsWrong)).toEqual([]);
});

function problems(
  commands: readonly Typed[],
  check: (words: readonly string[]) => string | undefined,
): readonly string[] {
  return commands.flatMap(({ at, words }) => {
    const problem = check(words);
    return problem === undefined ? [] : [`${at}: ${words.join(' ')}: ${problem}`];
  });
}

describe('a command in a document', () => {
  it.each([
    'liberator run --config liberator.yaml',
    'npm run cluster -- crash node-2',
    'npm run --silent demo -- --json',
    'kubectl apply -f packages/agent/deploy/base/rbac.yaml',
    'kubectl apply -f liberator.yaml',
    'kubectl -n tkr-system rollout status deployment/liberator',
    'helm upgrade liberator packages/agent/chart --set image.tag=1 --namespace tkr-system',
  ])('may be: %s', (text) => {
    expect(problemWith(text)).toBeUndefined();
  });

  it.each([
    ['liberator run', '--config'],
    ['liberator run --config liberator.yaml --kubconfig x', '--kubconfig'],
    ['liberator explode', 'explode'],
    ['npm run dome', 'dome'],
    ['npm run demo -- --kubconfig x', '--kubconfig'],
    ['npm run cluster -- crush node-2', 'crush'],
    ['npm install left-pad', 'left-pad'],
    ['npx liberator status', 'npx'],
    ['kubectl apply -f packages/agent/deploy/no-such.yaml', 'no-such.yaml'],
    ['kubectl aply -f liberator.yaml', 'aply'],
    ['kubectl --namespace tkr-system logs deployment/liberater', 'deployment/liberater'],
    ['helm upgrade liberator packages/agent/chart --set image.tga=1', 'image.tga'],
    ['docker build --file Dockerfile.none .', 'Dockerfile.none'],
    ['rm -rf node_modules', 'rm'],
  ])('must not be: %s', (text, because) => {
    expect(problemWith(text)).toContain(because);
  });
});

function problemWith(text: string): string | undefined {
  return whatIsWrong(commandsOf(text)[0]?.words ?? []);
}
