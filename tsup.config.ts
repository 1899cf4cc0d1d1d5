import { defineConfig, type Options } from 'tsup';

/** One ESM build per published package. Type declarations come from TypeScript itself, through tsup. */
const shared: Options = {
  format: ['esm'],
  target: 'node22',
  platform: 'node',
  sourcemap: true,
  clean: true,
  treeshake: true,
  removeNodeProtocol: false,
  // The sources are in the packages: maps need not carry them a second time.
  esbuildOptions: (options) => {
    options.sourcesContent = false;
  },
  // What a package depends on is installed beside it, never copied into it.
  skipNodeModulesBundle: true,
  external: [/^@liberator\//],
};

const declarations: NonNullable<Options['dts']> = {
  compilerOptions: {
    ignoreDeprecations: '6.0',
    allowImportingTsExtensions: true,
    customConditions: [],
    stripInternal: true,
  },
};

const builds: Options[] = [
  {
    ...shared,
    name: 'core',
    // The rooms that can be had by themselves share their code with the whole, so that both give the same classes.
    entry: {
      index: 'packages/core/src/index.ts',
      election: 'packages/core/src/election/index.ts',
      fencing: 'packages/core/src/fencing/index.ts',
      policy: 'packages/core/src/policy/index.ts',
    },
    outDir: 'packages/core/dist',
    dts: declarations,
  },
  {
    ...shared,
    name: 'simulator',
    entry: ['packages/simulator/src/index.ts'],
    outDir: 'packages/simulator/dist',
    dts: { compilerOptions: { ...declarations.compilerOptions, customConditions: ['@liberator/source'] } },
  },
  {
    ...shared,
    name: 'agent',
    entry: ['packages/agent/src/main.ts'],
    outDir: 'packages/agent/dist',
  },
];

export default defineConfig(builds) as Options[];
