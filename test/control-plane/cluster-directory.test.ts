// Taking a cluster down deletes files, so what it deletes is tested most.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  clearDirectory,
  clusterDirectory,
  clustersDirectory,
  prepareDirectory,
  prepareRuntimeDirectory,
  readNode,
  readProcesses,
  readRecord,
  runtimeDirectory,
  writeNode,
  writeProcess,
} from './cluster-directory.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cluster-directory-'));
});

afterEach(() => {
  rmSync(runtimeDirectory(join(root, 'one')), { recursive: true, force: true });
  rmSync(root, { recursive: true });
});

describe('where a cluster lives', () => {
  it('follows from its name, below the state directory', () => {
    expect(clustersDirectory({ XDG_STATE_HOME: '/state' })).toBe('/state/liberator/clusters');
    expect(clustersDirectory({})).toBe(join(homedir(), '.local/state/liberator/clusters'));
    expect(clusterDirectory({ name: 'one' })).toBe(join(clustersDirectory(), 'one'));
  });

  it('is what was asked for, when a directory was', () => {
    expect(clusterDirectory({ name: 'one', dir: '/some/../where' })).toBe('/where');
  });

  it.each(['', '..', 'a/b', 'UPPER', '-x', 'a'.repeat(41)])(
    'is never outside because of the name "%s"',
    (name) => {
      expect(() => clusterDirectory({ name })).toThrow('Expected a cluster name');
    },
  );

  it('has room for sockets, whose paths may have 107 bytes, however long its own path is', () => {
    const long = `/very/${'long/'.repeat(60)}`;
    const socket = join(runtimeDirectory(long), 'node-100', 'pod-resources', 'kubelet.sock');
    expect(socket.length).toBeLessThanOrEqual(107);
  });
});

describe('a cluster directory', () => {
  it('is refused when it holds something of somebody else', () => {
    writeFileSync(join(root, 'thesis.txt'), 'precious');
    expect(() => prepareDirectory(root)).toThrow(/holds something that is no cluster's \(thesis\.txt\)/);
    expect(readdirSync(root)).toEqual(['thesis.txt']);
  });

  it('is gone when it is cleared', () => {
    const dir = join(root, 'one');
    prepareDirectory(dir);
    for (const file of [
      'cluster.json',
      'kubeconfig',
      'node-12.kubeconfig',
      'client-ab12.kubeconfig',
      'audit.log',
    ]) {
      writeFileSync(join(dir, file), '{}');
    }
    clearDirectory(dir);
    expect(existsSync(dir)).toBe(false);
  });

  it('keeps what no cluster has written, when it is cleared', () => {
    prepareDirectory(root);
    writeFileSync(join(root, 'notes.txt'), 'mine');
    mkdirSync(join(root, 'node-backup'));
    clearDirectory(root);
    expect(readdirSync(root).sort()).toEqual(['node-backup', 'notes.txt']);
  });

  it('keeps the logs when asked to', () => {
    prepareDirectory(root);
    writeFileSync(join(root, 'logs', 'etcd.log'), '');
    writeFileSync(join(root, 'audit.log'), '');
    clearDirectory(root, { keepLogs: true });
    expect(readdirSync(root).sort()).toEqual(['audit.log', 'logs']);
  });

  it('can be cleared when it was never there', () => {
    expect(() => clearDirectory(join(root, 'never'))).not.toThrow();
  });

  it('remembers processes and nodes, and knows nothing of what was never written', () => {
    const record = { pid: 1, startTicks: 2, hostBootId: 'x' };
    writeProcess(root, 'etcd', record);
    writeNode(root, 'node-1', { machineId: 'm', bootId: 'b' });
    expect(readProcesses(root)).toEqual([record]);
    expect(readNode(root, 'node-1')).toEqual({ machineId: 'm', bootId: 'b' });
    expect(readNode(root, 'node-2')).toBeUndefined();
    expect(readRecord(root)).toBeUndefined();
  });
});

describe('a runtime directory', () => {
  it('is made afresh', () => {
    const dir = join(root, 'one');
    prepareRuntimeDirectory(dir);
    writeFileSync(join(runtimeDirectory(dir), 'old.sock'), '');
    prepareRuntimeDirectory(dir);
    expect(readdirSync(runtimeDirectory(dir))).toEqual([]);
  });

  it('is not followed elsewhere, should somebody have laid a link there', () => {
    const dir = join(root, 'one');
    mkdirSync(join(root, 'elsewhere'));
    symlinkSync(join(root, 'elsewhere'), runtimeDirectory(dir));
    expect(() => prepareRuntimeDirectory(dir)).toThrow('belongs to somebody else');
  });
});
