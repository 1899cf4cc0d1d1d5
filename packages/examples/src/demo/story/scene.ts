// What happens on the cluster, act by act: a database starts, its node crashes, and it recovers or does not.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { KubernetesReader } from '@liberator/core';
import { Agents } from '../agents/agents.ts';
import type { DemoCluster } from '../cluster/demo-cluster.ts';
import { ManagementController } from '../cluster/management-controller.ts';
import type { DatabaseSight } from '../database/database.ts';
import { databaseNamespace, databaseObjects, databasePod, lookAtDatabase } from '../database/database.ts';
import { DemoFailure, sentenceOf } from '../failure.ts';
import {
  allAgentsEnded,
  everyNodeBeats,
  leaderSees,
  silenceOf,
  takeoverOf,
} from '../observing/conditions.ts';
import { type Journal, latest } from '../observing/journal.ts';
import type { Entry } from '../observing/observation.ts';
import { type Recovery, report } from '../telling/report.ts';
import { type Line, shortName, shortUid } from '../telling/timeline.ts';
import { openingLines, policyLines } from '../telling/wording.ts';

export interface SceneOptions {
  readonly cluster: DemoCluster;
  readonly reader: KubernetesReader;
  readonly journal: Journal;
  /** For configurations and logs. */
  readonly directory: string;
  /** Takes what is started. */
  readonly stage: AsyncDisposableStack;
  readonly tell: (line: Line) => void;
  readonly signal: AbortSignal;
  /** When the demo began, in monotonic milliseconds. */
  readonly startedAt: number;
}

/** Starting agents and database takes seconds; on a busy machine, some more. */
const preparationMs = 90_000;
/** Agents ask each host once while it is well: only then does its silence mean something. And readers read. */
const calmMs = 4_000;
/** Well over the minute that detection takes without probes. */
const recoveryMs = 180_000;
/** From the replacement being Ready to the takeover's record being closed. */
const closingMs = 20_000;
const waitingLineEveryMs = 15_000;

export class Scene {
  readonly #options: SceneOptions;
  #before: DatabaseSight | undefined;
  #after: DatabaseSight | undefined;
  #crashedAtWall: number | undefined;

  constructor(options: SceneOptions) {
    this.#options = options;
  }

  /** Whatever keeps the database from recovering is reported, not thrown. */
  async play(): Promise<Recovery> {
    const { cluster, journal, directory, signal } = this.#options;
    let failure: { reason: string; logs: string } | undefined;
    try {
      const controller = await this.#prepare();
      await this.#crashAndRecovery(controller);
    } catch (error) {
      if (signal.aborted) throw error;
      failure = { reason: sentenceOf(error), logs: directory };
    }
    const since = this.#crashedAtWall;
    return report({
      entries: journal.entries,
      pod: `${databaseNamespace}/${databasePod}`,
      cluster: cluster.kind,
      kubernetes: cluster.version,
      changedTimers: cluster.changedTimers,
      before: this.#before,
      after: this.#after,
      deletes: since === undefined ? 0 : await cluster.nodeDeletes(new Date(since)),
      crashedAtWall: since,
      failure,
    });
  }

  async #prepare(): Promise<ManagementController> {
    const { cluster, journal, directory, reader, stage, tell, signal } = this.#options;
    const now = (): number => performance.now() - this.#options.startedAt;
    for (const line of openingLines(cluster, now())) tell(line);
    await cluster.create(databaseObjects({ withVolume: !cluster.providesVolumes }));
    const controller = stage.use(
      await ManagementController.start({
        cluster,
        reader,
        directory: join(directory, 'controller'),
        onTrouble: (error) => journal.note({ kind: 'trouble', agent: 'bmc', message: sentenceOf(error) }),
      }),
    );
    // Identities must be unique among all agents that ever lived on this cluster.
    const run = randomBytes(3).toString('hex');
    const agents = stage.use(new Agents({ cluster, controller, journal, directory, run }));
    tell({ atMs: now(), who: 'agents', text: `${agents.names.join(', ')}: a process each` });

    await this.#until(`${databasePod} was Ready`, preparationMs, (entries) =>
      latest(entries, 'pod')?.pod.ready === true ? true : undefined,
    );
    const before = await lookAtDatabase(reader);
    if (before === undefined)
      throw new DemoFailure(`${databasePod} is Ready, yet it has no node or no volume`);
    this.#before = before;
    const { uid, node, volume } = before;
    const text = `${shortUid(uid)} is Ready on ${node}, with volume ${shortName(volume)}`;
    tell({ atMs: now(), who: databasePod, text, tone: 'good' });

    await this.#until('every node had sent a heartbeat', preparationMs, (entries) =>
      everyNodeBeats(entries, cluster.nodes) ? true : undefined,
    );
    await this.#until('an agent led and saw', preparationMs, (entries) =>
      leaderSees(entries) ? true : undefined,
    );
    for (const line of policyLines(cluster.detection)) tell(line);
    await pause(calmMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    return controller;
  }

  async #crashAndRecovery(controller: ManagementController): Promise<void> {
    const { journal } = this.#options;
    const node = this.#before?.node ?? '';
    // Before rather than after, so that the time to recovery is never told too short.
    this.#crashedAtWall = Date.now();
    journal.note({ kind: 'crashed', node });
    const waiting = setInterval(() => this.#noteWaiting(), waitingLineEveryMs);
    try {
      await controller.crash(node);
      await this.#recovery();
    } finally {
      clearInterval(waiting);
    }
  }

  async #recovery(): Promise<void> {
    const { uid: oldUid, node: oldNode } = this.#before ?? {};
    await this.#until(`${databasePod} was Ready on another node`, recoveryMs, (entries) => {
      const pod = latest(entries, 'pod')?.pod;
      return pod?.ready === true && pod.uid !== oldUid && pod.node !== oldNode ? true : undefined;
    });
    this.#after = await lookAtDatabase(this.#options.reader);
    const result = await this.#until(
      'the takeover was on record as ended',
      closingMs,
      (entries) => takeoverOf(entries)?.result,
    );
    if (result !== 'recovered') throw new DemoFailure(`the takeover ended as "${result}"`);
  }

  /** Silence is the story's longest part; it shall not look like a hang. */
  #noteWaiting(): void {
    const { journal, cluster } = this.#options;
    const node = this.#before?.node ?? '';
    const silentMs = silenceOf(journal.entries, node, performance.now());
    if (silentMs === undefined) return;
    journal.note({ kind: 'waiting', node, silentMs, deadAfterMs: cluster.detection.deadAfterMs });
  }

  #until<T>(what: string, timeoutMs: number, look: (entries: readonly Entry[]) => T | undefined): Promise<T> {
    const { journal, signal } = this.#options;
    return journal.until(
      what,
      (entries) => {
        if (allAgentsEnded(entries)) throw new DemoFailure(`every agent ended before ${what}`);
        return look(entries);
      },
      { timeoutMs, signal },
    );
  }
}
