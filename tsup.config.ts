import { defineConfig, type Options } from 'tsup';

/** One ESM build per published package. Type declarations come from TypeScript itself, through tsup. */
const shared: Options = {
  format: ['esm'],
  target: 'node22',
  platform: 'node',
  sourcemap: true,
  clean: true,
  treeshake: true,
  // What a package depends on is installed beside it, never copied into it.
  skipNodeModulesBundle: true,
  external: [/^@liberator\//],
};

const declarations: NonNullable<Options['dts']> = {
  compilerOptions: { ignoreDeprecations: '6.0', allowImportingTsExtensions: true, customConditions: [] },
};

const builds: Options[] = [
  {
    ...shared,
    name: 'core',
    entry: ['packages/core/src/index.ts'],
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
