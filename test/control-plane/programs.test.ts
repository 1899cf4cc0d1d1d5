// A cached program must be the right one, or none.
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheDirectory, findPrograms, PROGRAMS, planSources, readPinnedVersions } from './programs.ts';

const goMod = readFileSync(join(import.meta.dirname, 'go.mod'), 'utf8');

describe('pinned versions', () => {
  it('are read from go.mod', () => {
    expect(
      readPinnedVersions(
        'require (\n\tk8s.io/kubernetes v1.2.3\n\tgo.etcd.io/etcd/server/v3 v3.4.5 // indirect\n)',
      ),
    ).toEqual({
      kubernetes: 'v1.2.3',
      etcd: 'v3.4.5',
    });
  });

  it('must be there', () => {
    expect(() => readPinnedVersions('require (\n\tk8s.io/kubernetes v1.2.3\n)')).toThrow(
      'go.etcd.io/etcd/server/v3',
    );
  });

  it('of Kubernetes and of its modules go together, or the build would mix two versions', () => {
    const { kubernetes } = readPinnedVersions(goMod);
    const staging = kubernetes.replace(/^v1\./, 'v0.');
    const replaced = [...goMod.matchAll(/^\s*k8s\.io\/\S+ => k8s\.io\/\S+ (\S+)$/gm)].map(
      ([, version]) => version,
    );
    expect(replaced.length).toBeGreaterThan(20);
    expect(new Set(replaced)).toEqual(new Set([staging]));
  });
});

describe('names in the cache', () => {
  const names = (etcd: string, digest: string): string[] =>
    planSources({ kubernetes: 'v1.2.3', etcd }, digest).map(({ fileName }) => fileName);

  it('differ per program', () => {
    expect(new Set(names('v3.4.5', 'abc')).size).toBe(PROGRAMS.length);
  });

  it('change with whatever the program is made from', () => {
    const before = names('v3.4.5', 'abc');
    expect(names('v3.4.6', 'abc').filter((name) => !before.includes(name))).toEqual(['etcd-v3.4.6']);
    expect(names('v3.4.5', 'def').filter((name) => !before.includes(name))).toEqual([
      'hollow-kubelet-def',
      'certificates-def',
    ]);
  });

  it('lie in a directory that names the version and the platform', () => {
    const expected = `/somewhere/liberator/control-plane/v1.2.3-${process.platform}-${process.arch}`;
    expect(cacheDirectory('v1.2.3', { XDG_CACHE_HOME: '/somewhere' })).toBe(expected);
    expect(cacheDirectory('v1.2.3', {})).toMatch(/\/\.cache\/liberator\/control-plane\/v1\.2\.3-/);
  });
});

describe.runIf(process.platform === 'linux')('finding programs', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'programs-'));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  const put = (folder: string, name: string, mode = 0o755): void => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), '');
    chmodSync(join(folder, name), mode);
  };

  it('takes what KUBEBUILDER_ASSETS holds and needs no Go for it', async () => {
    for (const name of PROGRAMS) {
      put(directory, name);
    }
    const env = { KUBEBUILDER_ASSETS: directory, XDG_CACHE_HOME: join(directory, 'cache'), PATH: '' };
    expect(await findPrograms({ env })).toEqual(
      Object.fromEntries(PROGRAMS.map((name) => [name, join(directory, name)])),
    );
  });

  it('says what to install when something is missing and there is no Go', async () => {
    for (const name of PROGRAMS.filter((name) => name !== 'etcd' && name !== 'kube-scheduler')) {
      put(directory, name);
    }
    // Not a program: half of one is none.
    put(directory, 'etcd', 0o644);
    const env = { KUBEBUILDER_ASSETS: directory, XDG_CACHE_HOME: join(directory, 'cache'), PATH: directory };
    await expect(findPrograms({ env })).rejects.toMatchObject({
      code: 'missing-requirement',
      message: expect.stringMatching(
        /^Not there yet: etcd, kube-scheduler\. Install Go .* KUBEBUILDER_ASSETS/,
      ),
    });
  });

  /** A stand-in for the compiler; `output` is the shell's name for the file that it shall write. */
  const putCompiler = (script: (output: string) => string): NodeJS.ProcessEnv => {
    const bin = join(directory, 'bin');
    put(bin, 'go');
    const findOutput = 'for a in "$@"; do case $a in -o=*) output=$(echo "$a" | cut -c4-);; esac; done';
    writeFileSync(join(bin, 'go'), ['#!/bin/sh', findOutput, script('"$output"')].join('\n'));
    return { XDG_CACHE_HOME: directory, PATH: `${bin}:/usr/bin:/bin` };
  };

  it('leaves nothing in the cache when a build fails, and says why it failed', async () => {
    const env = putCompiler(
      (output) => `echo half > ${output}
        chmod +x ${output}
        echo "go: downloading something" >&2
        echo "the disk is full" >&2
        exit 1`,
    );
    await expect(findPrograms({ env })).rejects.toMatchObject({
      code: 'build-failed',
      message: expect.stringMatching(
        /^go build of go\.etcd\.io\/etcd\/server\/v3 failed in .*:\nthe disk is full$/,
      ),
    });
    const { kubernetes } = readPinnedVersions(goMod);
    expect(readdirSync(cacheDirectory(kubernetes, env))).toEqual([]);
  });

  it('takes each program into the cache as soon as it is whole, and builds none twice', async () => {
    const env = putCompiler(
      (output) => `echo "$*" >> ${directory}/calls
        : > ${output}
        chmod +x ${output}`,
    );
    const [first, second] = await Promise.all([findPrograms({ env }), findPrograms({ env })]);
    expect(second).toEqual(first);
    const calls = readFileSync(join(directory, 'calls'), 'utf8').trim().split('\n');
    expect(calls).toHaveLength(PROGRAMS.length);
    const { kubernetes } = readPinnedVersions(goMod);
    expect(calls.every((call) => call.includes(`version.gitVersion=${kubernetes}`))).toBe(true);
  });

  it('stops the compiler when it is not waited for any longer', async () => {
    const env = putCompiler(() => 'sleep 60');
    const abort = new AbortController();
    const building = findPrograms({
      env,
      signal: abort.signal,
      onProgress: ({ program }) => {
        if (program === 'etcd') {
          setTimeout(() => {
            abort.abort(new Error('enough'));
          }, 50);
        }
      },
    });
    await expect(building).rejects.toThrow('enough');
    const { kubernetes } = readPinnedVersions(goMod);
    expect(readdirSync(cacheDirectory(kubernetes, env))).toEqual([]);
  });
});
