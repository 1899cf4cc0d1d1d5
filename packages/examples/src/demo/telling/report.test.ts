import { describe, expect, it } from 'vitest';
import {
  after,
  before,
  crashedAt,
  crashedAtWall,
  entry,
  playedEntries,
  playedRecovery,
} from '../testing/played-story.ts';
import { isSameVolume, type ReportInput, report } from './report.ts';

const input: ReportInput = {
  entries: playedEntries,
  pod: 'liberator-demo/mysql-0',
  cluster: 'real',
  kubernetes: 'v1.36.3',
  changedTimers: [],
  before,
  after,
  deletes: 1,
  crashedAtWall,
};

describe('the report', () => {
  it('says what recovered, from where to where, and how long it took', () => {
    expect(report(input)).toMatchObject({
      recovered: true,
      pod: 'liberator-demo/mysql-0',
      fromNode: 'node-2',
      toNode: 'node-3',
      sameVolume: true,
      deletes: 1,
      timeToRecoveryMs: 32_000,
      leader: 'agent-2',
      epoch: 1,
      proof: 'powered-off',
      fencer: 'bmc',
    });
  });

  it('claims no proof before there is one', () => {
    const entries = playedEntries.filter(({ at }) => at < crashedAt + 27_000);
    expect(report({ ...input, entries })).toMatchObject({ proof: null, fencer: null });
  });

  it('takes every moment from the crash, and health from the agent that acted', () => {
    expect(playedRecovery.milestones).toEqual({
      suspect: 11_300,
      notReady: null,
      dead: 25_500,
      oldPodGone: 30_000,
      newPodCreated: 30_100,
      newPodScheduled: 30_200,
      newPodReady: 32_000,
      nodeDeleted: 31_100,
    });
  });

  it('takes the steps from the record, with their durations', () => {
    expect(playedRecovery.steps.map(({ step }) => step)).toEqual([
      'claim',
      'cordon',
      'fence',
      'recheck',
      'release',
      'remove',
      'verify',
    ]);
    expect(playedRecovery.steps[1]).toEqual({
      step: 'cordon',
      outcome: 'done',
      startMs: 27_000,
      endMs: 27_100,
      durationMs: 100,
      detail: 'did cordon',
    });
  });

  it('is no recovery when the story failed, even if a replacement was seen', () => {
    const failure = { reason: 'the takeover ended as "incomplete"', logs: '/logs' };
    expect(report({ ...input, failure })).toMatchObject({ recovered: false, ...failure });
  });

  it('is no recovery before anything was crashed', () => {
    const entries = playedEntries.filter(({ at }) => at < 10_000);
    const nothing = { ...input, entries, before: undefined, after: undefined, deletes: 0 };
    expect(report({ ...nothing, crashedAtWall: undefined })).toMatchObject({
      recovered: false,
      fromNode: null,
      toNode: null,
      sameVolume: false,
      timeToRecoveryMs: null,
      steps: [],
    });
  });

  it('does not take a pod that is Ready on the crashed node for a replacement', () => {
    const pod = { uid: 'new', node: 'node-2', ready: true, terminating: false };
    const entries = [...playedEntries.slice(0, 6), entry(1_000, { kind: 'pod', pod })];
    expect(report({ ...input, entries }).timeToRecoveryMs).toBeNull();
  });
});

describe('the same volume', () => {
  it('is the same claim with the same volume behind it', () => {
    expect(isSameVolume(before, after)).toBe(true);
    expect(isSameVolume(before, { ...after, volume: 'another' })).toBe(false);
    expect(isSameVolume(before, { ...after, claimUid: 'made anew' })).toBe(false);
    expect(isSameVolume(before, undefined)).toBe(false);
  });
});
