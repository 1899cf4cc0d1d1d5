import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createProgram } from '../command-line.ts';
import { FatalError } from '../process/failure.ts';
import { loadCallersKubeConfig, loadNamedKubeConfig, openCallersCluster } from './callers-cluster.ts';
import { clusterArguments } from './flags.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'callers-'));
  vi.stubEnv('HOME', home);
  vi.stubEnv('KUBECONFIG', undefined);
  vi.stubEnv('KUBERNETES_SERVICE_HOST', undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});

function kubeconfig(name: string, content: object = {}): string {
  const path = join(home, name);
  const whole = {
    'current-context': name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [{ name, cluster: { server: `https://${name}` } }],
    users: [{ name, user: { token: name } }],
    ...content,
  };
  writeFileSync(path, JSON.stringify(whole));
  return path;
}

const serverOf = (flags: object): string | undefined =>
  loadCallersKubeConfig(flags).getCurrentCluster()?.server;

describe("the caller's kubeconfig", () => {
  it('is what --kubeconfig says, else all that KUBECONFIG names, as far as they are there', () => {
    const [a, b] = [kubeconfig('a'), kubeconfig('b')];
    vi.stubEnv('KUBECONFIG', `${home}/nope:${a}::${b}:${a}`);
    expect(serverOf({})).toBe('https://a');
    expect(serverOf({ context: 'b' })).toBe('https://b');
    expect(serverOf({ cluster: 'b', user: 'a' })).toBe('https://b');
    expect(serverOf({ kubeconfig: b })).toBe('https://b');
  });

  it('that is nowhere is said with the places that were looked at', () => {
    const failure = (): unknown => loadCallersKubeConfig({});
    expect(failure).toThrow(FatalError);
    expect(failure).toThrow(
      `there is no ${home}/.kube/config (KUBECONFIG is not set), and this is not a pod`,
    );
    vi.stubEnv('KUBECONFIG', '/nope/a:/nope/b');
    expect(failure).toThrow('there is no /nope/a, no /nope/b (named by KUBECONFIG), and this is not a pod');
  });

  it('is used as whom the flags say, and for the account of the agent as that account alone', () => {
    const path = kubeconfig('a', {
      users: [{ name: 'a', user: { token: 'a', as: 'jane', 'as-groups': ['dev'] } }],
    });
    const flags = { kubeconfig: path, as: 'bob', asGroup: ['ops'] };
    expect(loadCallersKubeConfig(flags).getCurrentUser()).toMatchObject({
      impersonateUser: 'bob',
      impersonateGroups: ['ops'],
    });
    expect(loadCallersKubeConfig(flags, 'system:serviceaccount:x:y').getCurrentUser()).toMatchObject({
      impersonateUser: 'system:serviceaccount:x:y',
      impersonateGroups: [],
    });
  });

  it('that leads through a proxy that is none is wrong usage', () => {
    vi.stubEnv('HTTPS_PROXY', 'ftp://x');
    expect(() => openCallersCluster({ kubeconfig: kubeconfig('a') }, 'test')).toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringContaining('HTTPS_PROXY') }),
    );
  });

  it('is not looked for by what runs by itself', () => {
    vi.stubEnv('KUBECONFIG', kubeconfig('a'));
    expect(() => loadNamedKubeConfig({})).toThrow('no kubeconfig file was named; name one');
    expect(() => loadNamedKubeConfig({ context: 'a' })).toThrow('no kubeconfig file was named; name one');
  });
});

describe('the flags that say which cluster and as whom', () => {
  it('are those of every command', () => {
    for (const command of createProgram().commands) {
      // It needs files and no cluster.
      if (command.name() === 'replay') continue;
      const flags = command.options.map(({ long }) => long);
      expect(flags, command.name()).toEqual(
        expect.arrayContaining(['--kubeconfig', '--context', '--cluster', '--user', '--as', '--as-group']),
      );
    }
  });

  it('mean to each command what they mean to kubectl, --as-group as often as it is given', () => {
    const command = createProgram().commands.find((one) => one.name() === 'cordon');
    const seen: unknown[] = [];
    command?.action((_node, flags) => void seen.push(flags));
    command?.parse(['n', '--context', 'c', '--as', 'a', '--as-group', 'x,y', '--as-group', 'z'], {
      from: 'user',
    });
    expect(seen).toEqual([{ context: 'c', as: 'a', asGroup: ['x,y', 'z'] }]);
  });

  it('are typed again as a shell takes them', () => {
    expect(clusterArguments({ kubeconfig: "/it's here", context: 'a', asGroup: ['x', 'y z'] })).toEqual([
      '--kubeconfig',
      "'/it'\\''s here'",
      '--context',
      'a',
      '--as-group',
      'x',
      '--as-group',
      "'y z'",
    ]);
  });
});
