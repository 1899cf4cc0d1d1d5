// The check on rooms is red where it has to be: each rule is tried on a small tree of packages with one wrong import put in.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cruise, type ICruiseResult, type IForbiddenRuleType } from 'dependency-cruiser';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { detourRules, options, rules } from '../../rooms.config.ts';

type Tree = Readonly<Record<string, string>>;

/** Packages that keep to the rules, each by a hair. */
const wellKept: Tree = {
  'tsconfig.json': '{}',
  'packages/core/src/index.ts': "export * from './controller.ts'; export * from './world.ts';",
  'packages/core/src/controller.ts':
    "import './world.ts'; import './takeover/executor.ts'; import 'node:fs';",
  'packages/core/src/world.ts': "import './policy/plan.ts'; import type {} from './evidence/ledger.ts';",
  'packages/core/src/time/clock.ts': 'export interface Clock {}',
  'packages/core/src/time/system-clock.ts': 'export const now = () => performance.now();',
  'packages/core/src/kubernetes/transport.ts':
    "import 'node:https'; import '../time/clock.ts'; export const t = 1;",
  'packages/core/src/kubernetes/objects.ts': 'export interface Node {}',
  'packages/core/src/marks/paused.ts':
    "import type {} from '../kubernetes/objects.ts'; export const paused = 1;",
  'packages/core/src/evidence/ledger.ts':
    "import '../marks/paused.ts'; import type {} from '../kubernetes/objects.ts'; export const ledger = 1;",
  'packages/core/src/evidence/witnesses/lease.ts':
    "import '../ledger.ts'; import '../../kubernetes/transport.ts'; export const lease = 1;",
  'packages/core/src/fencing/ladder.ts': "import '../evidence/ledger.ts'; export const ladder = 1;",
  'packages/core/src/fencing/drivers/switch.ts': "import 'node:net'; import '../../kubernetes/transport.ts';",
  'packages/core/src/policy/plan.ts': "import '../evidence/ledger.ts'; export const plan = 1;",
  'packages/core/src/takeover/executor.ts':
    "import './steps/fence.ts'; import '../kubernetes/transport.ts'; export const executor = 1;",
  'packages/core/src/takeover/steps/fence.ts':
    "import '../step.ts'; import '../../fencing/ladder.ts'; export const fence = 1;",
  'packages/core/src/takeover/step.ts': 'export interface Step {}',
  'packages/core/src/takeover/record.test.ts':
    "import '../testing/dead-node.ts'; import '../preflight/prospects.ts';",
  'packages/core/src/testing/dead-node.ts': "import '../takeover/executor.ts'; import '../controller.ts';",
  'packages/core/src/preflight/prospects.ts': "import '../takeover/step.ts';",
  'packages/simulator/src/store/store.ts': "import '../time/virtual-clock.ts'; export const store = 1;",
  'packages/simulator/src/time/virtual-clock.ts': 'export const clock = 1;',
  'packages/agent/src/main.ts': "import './drain.ts'; import './status/command.ts';",
  'packages/agent/src/drain.ts': 'export const drain = 1;',
  'packages/agent/src/status/command.ts':
    "import type {} from './show-status.ts'; await import('./show-status.ts');",
  'packages/agent/src/status/show-status.ts': "import '../text/table.ts'; export const show = 1;",
  'packages/agent/src/text/table.ts': 'export const table = 1;',
  'test/chaos/main.ts': "import '../../packages/core/src/testing/dead-node.ts'; import './world/world.ts';",
  'test/chaos/world/world.ts': 'export interface World {}',
};

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'liberator-rooms-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** The names of the rules that are broken, each once. */
async function broken(
  change: Tree = {},
  forbidden: readonly IForbiddenRuleType[] = rules,
  more: object = {},
): Promise<readonly string[]> {
  for (const [path, text] of Object.entries({ ...wellKept, ...change })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const { tsConfig: _, ...all } = options;
  const ruleSet = { forbidden: [...forbidden] };
  const { output } = await cruise(['packages', 'test'], {
    ...all,
    ...more,
    baseDir: folder,
    ruleSet,
    validate: true,
  });
  const { summary } = output as ICruiseResult;
  return [...new Set(summary.violations.map(({ rule }) => rule.name))].toSorted();
}

/** The same file with one import more. */
const importing = (path: string, what: string): Tree => ({
  [path]: `import ${what}; ${wellKept[path] ?? ''}`,
});

describe('the check on rooms', () => {
  it('has nothing to say about packages that keep to the rules', async () => {
    expect(await broken()).toEqual([]);
  });

  const core = 'packages/core/src';
  it.each<[string, Tree, string]>([
    [
      'a room that imports one above it',
      importing(`${core}/evidence/ledger.ts`, "'../takeover/step.ts'"),
      'core-evidence-imports-rooms-below',
    ],
    [
      'a room that imports no more than a type from above it',
      importing(`${core}/evidence/ledger.ts`, "type {} from '../takeover/step.ts'"),
      'core-evidence-imports-rooms-below',
    ],
    [
      'a folder inside of a room that imports a folder inside of one above it',
      importing(`${core}/evidence/witnesses/lease.ts`, "'../../fencing/drivers/switch.ts'"),
      'core-evidence-imports-rooms-below',
    ],
    [
      'a room of the agent that imports one above it',
      importing('packages/agent/src/text/table.ts', "type {} from '../status/command.ts'"),
      'agent-text-imports-rooms-below',
    ],
    [
      'a room of the simulator that imports one above it',
      importing('packages/simulator/src/time/virtual-clock.ts', "'../store/store.ts'"),
      'simulator-time-imports-rooms-below',
    ],
    [
      'a room that imports what imports rooms',
      importing(`${core}/takeover/step.ts`, "type {} from '../controller.ts'"),
      'core-rooms-carry-the-roof',
    ],
    [
      'a room that nobody has named',
      { [`${core}/utils/misc.ts`]: "import '../time/clock.ts';" },
      'core-names-its-rooms',
    ],
    [
      'an import of a room that nobody has named',
      {
        [`${core}/utils/misc.ts`]: 'export const misc = 1;',
        ...importing(`${core}/preflight/prospects.ts`, "'../utils/misc.ts'"),
      },
      'core-preflight-imports-rooms-below',
    ],
    [
      'a circle of folders inside of a room',
      {
        [`${core}/takeover/records/book.ts`]: "import '../steps/fence.ts';",
        [`${core}/takeover/records/record.ts`]: 'export interface R {}',
        ...importing(`${core}/takeover/steps/fence.ts`, "type {} from '../records/record.ts'"),
      },
      'no-circle-of-folders',
    ],
    [
      'a circle of folders of tests',
      {
        'test/chaos/faults/fault.ts': "import '../world/world.ts'; export const fault = 1;",
        ...importing('test/chaos/world/world.ts', "'../faults/fault.ts'"),
      },
      'no-circle-of-folders',
    ],
    [
      'two files that import each other, be it for types',
      importing('packages/agent/src/status/show-status.ts', "type {} from './command.ts'"),
      'no-circle-of-files',
    ],
    [
      'a wire that knows more than the time',
      importing(`${core}/kubernetes/transport.ts`, "type {} from '../marks/paused.ts'"),
      'core-kubernetes-is-ground',
    ],
    [
      'a world that knows the wire',
      importing(`${core}/world.ts`, "type {} from './kubernetes/transport.ts'"),
      'core-world-knows-no-wire',
    ],
    [
      'a world that reads files',
      importing(`${core}/world.ts`, "'node:fs'"),
      'core-world-needs-the-core-alone',
    ],
    [
      'a ledger that knows who brings its facts',
      importing(`${core}/evidence/ledger.ts`, "type {} from './witnesses/lease.ts'"),
      'core-evidence-knows-no-wire',
    ],
    [
      'evidence that asks Node.js',
      importing(`${core}/evidence/ledger.ts`, "'node:fs'"),
      'core-evidence-needs-the-core-alone',
    ],
    [
      'a policy that knows the wire',
      importing(`${core}/policy/plan.ts`, "'../kubernetes/transport.ts'"),
      'core-policy-knows-no-wire',
    ],
    [
      'a policy that needs a package',
      importing(`${core}/policy/plan.ts`, "'@liberator/simulator'"),
      'core-policy-needs-the-core-alone',
    ],
    [
      'a ladder that opens connections',
      importing(`${core}/fencing/ladder.ts`, "'node:net'"),
      'core-ladder-needs-the-core-alone',
    ],
    [
      'a path from one package into another',
      importing('packages/agent/src/drain.ts', "'../../core/src/time/clock.ts'"),
      'packages-by-name',
    ],
    [
      'a core that knows the simulator',
      importing(`${core}/preflight/prospects.ts`, "'../../../simulator/src/store/store.ts'"),
      'packages-in-order',
    ],
    [
      'code that needs what is there for tests',
      importing(`${core}/takeover/executor.ts`, "'../testing/dead-node.ts'"),
      'testing-is-for-tests',
    ],
    ['an import of nothing', importing(`${core}/takeover/step.ts`, "'./gone.ts'"), 'everything-is-there'],
  ])('finds %s', async (_sentence, change, rule) => {
    expect(await broken(change)).toContain(rule);
  });
});

describe('the check on where pure code leads', () => {
  const brokenOnTheWay = (change?: Tree): Promise<readonly string[]> =>
    broken(change, detourRules, { tsPreCompilationDeps: false });

  it('has nothing to say about code that leads to types alone', async () => {
    expect(await brokenOnTheWay()).toEqual([]);
  });

  it('finds I/O behind a room that may do it', async () => {
    const detour = importing(
      'packages/core/src/marks/paused.ts',
      "{ t } from '../kubernetes/transport.ts'; t",
    );
    expect(await brokenOnTheWay(detour)).toEqual([
      'core-evidence-never-comes-to-the-wire',
      'core-evidence-never-leaves-the-core',
      'core-ladder-never-comes-to-the-wire',
      'core-ladder-never-leaves-the-core',
      'core-policy-never-comes-to-the-wire',
      'core-policy-never-leaves-the-core',
      'core-world-never-comes-to-the-wire',
      'core-world-never-leaves-the-core',
    ]);
  });
});
