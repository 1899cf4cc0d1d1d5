import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const conditions = ['@liberator/source', 'node', 'import', 'default'];

/** A project per kind of test: what it needs decides where it runs, not which package it belongs to. */
const project = (name: string, include: string[], more: object = {}): object => ({
  extends: true,
  test: { name, include, ...more },
});

/**
 * Hundreds of files in one process a processor: to start one for each, and to load core into it, takes longer than the tests
 * do. So a file finds in its process what others left there: what it puts in the place of something real it takes away
 * again. Not threads: those have no environment and no home of their own.
 *
 * Agents, examples and the simulation's threads, which the tests start by the hundred, load in half the time what an
 * earlier one has compiled.
 */
const shared = {
  pool: 'forks',
  isolate: false,
  setupFiles: join(import.meta.dirname, 'test/shared-process.ts'),
  maxWorkers: availableParallelism(),
  env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/compiled') },
};

/** Where the tests on a real control plane note what the agent's account did there, for the one that judges it at the end. */
const env = { LIBERATOR_E2E_USAGE: join(tmpdir(), `liberator-e2e-${process.pid}`) };

/** Takes a quarter of an hour, most of it one timer of Kubernetes: begun last, it would have everything wait for it. */
const longest = 'test/contract/control-plane.test.ts';

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}

function rank({ moduleId }: TestSpecification): number {
  return moduleId.endsWith(longest) ? 0 : 1;
}

const config: ViteUserConfig = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    environment: 'node',
    restoreMocks: true,
    unstubEnvs: true,
    tags: [
      { name: 'long', description: 'minutes of work, of which something shorter is tried at every run' },
    ],
    sequence: { sequencer: LongestFirst },
    projects: [
      // Simulated days take seconds of work, and more on a machine that has other things to do.
      project(
        'unit',
        [
          'packages/*/src/**/*.test.ts',
          'test/control-plane/**/*.test.ts',
          'test/docs/**/*.test.ts',
          'test/documents/**/*.test.ts',
          'test/fencing/**/*.test.ts',
          'test/rooms/**/*.test.ts',
          'test/bench/*.test.ts',
        ],
        { ...shared, testTimeout: 30_000 },
      ),
      project('contract', ['test/contract/{simulator,ports}.test.ts', 'test/cost/**/*.test.ts'], {
        ...shared,
        testTimeout: 60_000,
      }),
      // Simulated hours of whole clusters, one after another.
      project('chaos', ['test/chaos/**/*.test.ts', 'test/crash-anywhere/**/*.test.ts'], {
        ...shared,
        testTimeout: 120_000,
        hookTimeout: 120_000,
      }),
      // What a release would publish, as its users get it: built, packed, installed, compiled against.
      project('packages', ['test/packages/**/*.test.ts', 'test/deploy/image.test.ts'], {
        ...shared,
        testTimeout: 120_000,
        hookTimeout: 120_000,
      }),
      // Needs Go, as e2e does: Helm, kustomize and kubectl are built the first time, in five minutes.
      project(
        'deploy',
        ['test/deploy/{chart,manifests,least-privilege}.test.ts', 'test/kubeconfig/**/*.test.ts'],
        {
          testTimeout: 120_000,
          hookTimeout: 600_000,
          maxWorkers: 2,
        },
      ),
      project('agent', ['test/agent/**/*.test.ts', 'test/bench/*/*.test.ts'], {
        ...shared,
        testTimeout: 120_000,
        hookTimeout: 120_000,
      }),
      // Mostly waiting for Kubernetes' own timers, so that two control planes side by side don't disturb each other.
      project('e2e', [longest, 'test/e2e/*.test.ts'], {
        testTimeout: 600_000,
        hookTimeout: 1_800_000,
        maxWorkers: 2,
        env,
      }),
      project('e2e-afterwards', ['test/e2e/afterwards/*.test.ts'], { env, sequence: { groupOrder: 1 } }),
    ],
  },
});

export default config;
