// What isn't asked for must not reach a command line: a default belongs to Kubernetes, not to us.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkTimings, parseDuration, TIMING_OPTIONS, timingFlags } from './timings.ts';

describe('durations', () => {
  it.each([
    ['20s', 20_000],
    ['1m30s', 90_000],
    ['500ms', 500],
    ['2h', 7_200_000],
    ['1h1m1s1ms', 3_661_001],
    ['0s', 0],
  ])('reads %s as %d ms', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  it.each(['', '20', 's', '-5s', '1.5s', '20 s', '5s1m', '20sec'])(
    'refuses "%s" and says what it expects',
    (text) => {
      expect(() => parseDuration(text)).toThrow(/^Expected a duration such as 20s/);
    },
  );

  it('reads back whatever is written from hours, minutes, seconds and milliseconds', () => {
    fc.assert(
      fc.property(fc.nat(99), fc.nat(999), fc.nat(9999), fc.nat(99_999), (h, m, s, ms) => {
        expect(parseDuration(`${h}h${m}m${s}s${ms}ms`)).toBe(h * 3_600_000 + m * 60_000 + s * 1000 + ms);
      }),
    );
  });
});

describe('timings', () => {
  it('passes no flag at all when nothing is asked for', () => {
    for (const program of ['kube-apiserver', 'kube-controller-manager', 'hollow-kubelet'] as const) {
      expect(timingFlags(program, {})).toEqual([]);
    }
  });

  it('tells each program what concerns it, in its own unit', () => {
    const timings = {
      nodeMonitorGracePeriodMs: 20_000,
      unreachableTolerationMs: 15_000,
      nodeLeaseDurationMs: 8_000,
    };
    expect(timingFlags('kube-controller-manager', timings)).toEqual(['--node-monitor-grace-period=20000ms']);
    expect(timingFlags('kube-apiserver', timings)).toEqual(['--default-unreachable-toleration-seconds=15']);
    expect(timingFlags('hollow-kubelet', timings)).toEqual(['--node-lease-duration-seconds=8']);
  });

  it('refuses parts of a second where Kubernetes counts whole seconds', () => {
    expect(() => checkTimings({ unreachableTolerationMs: 1_500 })).toThrow(
      /unreachable-toleration.*whole seconds/,
    );
  });

  it('allows no toleration at all, but no Lease without duration', () => {
    expect(() => checkTimings({ unreachableTolerationMs: 0 })).not.toThrow();
    expect(() => checkTimings({ nodeLeaseDurationMs: 0 })).toThrow(/node-lease-duration/);
  });

  it('refuses a grace period that the controller manager would refuse, also against its defaults', () => {
    expect(() => checkTimings({ nodeMonitorGracePeriodMs: 5_000 })).toThrow(/must be longer/);
    expect(() => checkTimings({ nodeMonitorPeriodMs: 60_000 })).toThrow(/must be longer/);
    expect(() => checkTimings({ nodeMonitorPeriodMs: 1_000, nodeMonitorGracePeriodMs: 5_000 })).not.toThrow();
  });

  it('has one option per timing', () => {
    expect(new Set(TIMING_OPTIONS.map(({ key }) => key)).size).toBe(TIMING_OPTIONS.length);
    expect(new Set(TIMING_OPTIONS.map(({ option }) => option)).size).toBe(TIMING_OPTIONS.length);
  });
});
