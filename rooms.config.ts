// Who may import whom, checked by `npm run check:rooms`. A room is a folder right below a package's src/; type imports count.
import type { IConfiguration, IForbiddenRuleType } from 'dependency-cruiser';

/**
 * The rooms of each package, from the ground up: a room imports only what is named before it, so that no two import each
 * other, however deep inside and by whatever detour. The files beside the rooms are the roof: they import rooms, never the
 * other way round. A room that isn't named here is an error.
 */
export const rooms: Readonly<Record<'core' | 'simulator' | 'agent', readonly string[]>> = {
  core: [
    'time',
    'kubernetes',
    'wording',
    'marks',
    'term',
    'election',
    'evidence',
    'fencing',
    'policy',
    'pausing',
    'pods',
    'takeover',
    'telling',
    'drilling',
    'returning',
    'maintenance',
    'confirmation',
    'preflight',
  ],
  simulator: ['time', 'store', 'http', 'faults', 'controllers', 'bmc'],
  agent: [
    'text',
    'process',
    'cluster',
    'config',
    'fencers',
    'log',
    'http',
    'metrics',
    'journal',
    'takeovers',
    'status',
    'check',
    'explain',
    'simulate',
    'confirm',
    'fence',
    'maintenance',
    'elect',
    'guard',
    'run',
  ],
};

/** What of the core does no I/O and knows nobody who does. */
export const pure: Readonly<Record<string, { readonly path: string; readonly pathNot?: string }>> = {
  evidence: { path: '^packages/core/src/evidence/', pathNot: '^packages/core/src/evidence/witnesses/' },
  policy: { path: '^packages/core/src/policy/' },
  ladder: { path: '^packages/core/src/fencing/ladder[.]ts$' },
  drilling: { path: '^packages/core/src/drilling/schedule[.]ts$' },
  world: { path: '^packages/core/src/world(?:-state|-plan)?[.]ts$' },
  simulation: {
    path: '^packages/core/src/(?:simulate-deaths[.]ts|simulated-(?:brakes|takeovers)[.]ts|preflight/deaths/)',
  },
  journal: {
    path: '^packages/core/src/(?:journal-[a-z]+|replay|replayed-takeovers|supposed-takeover)[.]ts$',
  },
};

/** Values without I/O: types of objects and what is kept of them, collections that never change, and a hash. */
const values = [
  '^packages/core/src/kubernetes/objects[.]ts$',
  '^packages/core/src/evidence/witnesses/node-projection[.]ts$',
  'node_modules/immutable/',
  '^(?:node:)?crypto$',
];

const tests = '[.]test[.]ts$';
const testing = '/testing/';
const src = (name: string): string => `^packages/${name}/src/`;
const anyOf = (names: readonly string[]): string => `(?:${names.join('|')})`;

function order(name: string, all: readonly string[]): IForbiddenRuleType[] {
  const anyRoom = `${src(name)}[^/]+/`;
  const within = (some: readonly string[]): string => `${src(name)}${anyOf(some)}/`;
  return [
    ...all.map((room) => ({
      name: `${name}-${room}-imports-rooms-below`,
      comment: `${room} imports a room that comes after it in rooms.config.ts: move what both need below them`,
      from: { path: within([room]) },
      to: { path: anyRoom, pathNot: [within(all.slice(0, all.indexOf(room) + 1)), testing] },
    })),
    {
      name: `${name}-rooms-carry-the-roof`,
      comment: 'a room imports a file beside the rooms, which imports rooms: give what it needs a room',
      from: { path: anyRoom, pathNot: testing },
      to: { path: `${src(name)}[^/]+$` },
    },
    {
      name: `${name}-names-its-rooms`,
      comment: 'rooms.config.ts does not say where this folder stands',
      from: { path: anyRoom, pathNot: [within(all), testing] },
      to: {},
    },
  ];
}

const whoDoesIO = ['^packages/core/src/kubernetes/', '^packages/core/src/evidence/witnesses/'];

function purity(): IForbiddenRuleType[] {
  return Object.entries(pure).flatMap(([name, from]) => [
    {
      name: `core-${name}-knows-no-wire`,
      comment: 'it gets facts and gives answers: whoever calls it does the I/O',
      from,
      to: { path: whoDoesIO, pathNot: values },
    },
    {
      name: `core-${name}-needs-the-core-alone`,
      comment: 'neither a module of Node.js nor a package: whoever calls it does the I/O',
      from,
      to: { pathNot: ['^packages/core/src/', ...values] },
    },
  ]);
}

const circles: readonly IForbiddenRuleType[] = [
  {
    name: 'no-circle-of-folders',
    comment: 'they import each other, directly or through others: move what both need to where both find it',
    scope: 'folder',
    from: {},
    to: { circular: true },
  },
  {
    name: 'no-circle-of-files',
    comment: 'they import each other, directly or through others: one of them holds two ideas',
    from: {},
    to: { circular: true },
  },
];

/** What holds between packages, and what the core's ground may know. */
const boundaries: readonly IForbiddenRuleType[] = [
  {
    name: 'core-kubernetes-is-ground',
    comment: 'the wire knows no room but time: an adapter lives beside the port that it implements',
    from: { path: '^packages/core/src/kubernetes/' },
    to: { path: '^packages/core/src/', pathNot: '^packages/core/src/(?:time|kubernetes)/' },
  },
  {
    name: 'packages-by-name',
    comment: 'a package imports another one by its name, never by a path into it',
    from: { path: '^packages/([^/]+)/' },
    to: { path: '^packages/', pathNot: '^packages/$1/', dependencyTypes: ['local'] },
  },
  {
    name: 'packages-in-order',
    comment: 'the core knows no other package, the simulator and the agent know the core alone',
    from: { path: '^packages/(core|simulator|agent)/src/', pathNot: testing },
    to: { path: '^packages/', pathNot: ['^packages/$1/', '^packages/core/'] },
  },
  {
    name: 'testing-is-for-tests',
    comment: 'what is in testing/ is not published',
    from: { path: '^packages/', pathNot: testing },
    to: { path: testing },
  },
  {
    name: 'everything-is-there',
    comment: 'it was not found, so that nothing is known about it',
    from: {},
    to: { couldNotResolve: true },
  },
];

/** The rules. */
export const rules: readonly IForbiddenRuleType[] = [
  ...Object.entries(rooms).flatMap(([name, all]) => order(name, all)),
  ...purity(),
  ...circles,
  ...boundaries,
].map((rule) => ({ ...rule, severity: 'error' }));

/** What is pure doesn't come to I/O through others either. Meant for imports without types: those do nothing. */
export const detourRules: readonly IForbiddenRuleType[] = Object.entries(pure).flatMap(([name, from]) => [
  {
    name: `core-${name}-never-comes-to-the-wire`,
    severity: 'error',
    from,
    to: { path: whoDoesIO, pathNot: values, reachable: true },
  },
  {
    name: `core-${name}-never-leaves-the-core`,
    severity: 'error',
    from,
    to: { pathNot: ['^packages/core/src/', ...values], reachable: true },
  },
]);

export const options: NonNullable<IConfiguration['options']> = {
  // Types, too: what a room knows is what it names, not only what it runs.
  tsPreCompilationDeps: true,
  // Nobody imports a test, and a test imports what it likes.
  exclude: { path: [tests, '/dist/'] },
  doNotFollow: { path: 'node_modules' },
  tsConfig: { fileName: 'tsconfig.json' },
  enhancedResolveOptions: {
    exportsFields: ['exports'],
    conditionNames: ['@liberator/source', 'types', 'import', 'node', 'default'],
  },
};

const config: IConfiguration = { forbidden: [...rules], options };

export default config;
