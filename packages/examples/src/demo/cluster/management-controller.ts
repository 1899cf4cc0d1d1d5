// The machines' management controller: a simulated one, spoken to over HTTP as a real one is, that really switches the demo's nodes.
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, type KubernetesReader, nodes } from '@liberator/core';
import { type RedfishBmc, startRedfishBmc } from '@liberator/simulator';
import { DemoFailure } from '../failure.ts';
import type { DemoCluster } from './demo-cluster.ts';

/** As policies name it. */
export const fencerName = 'bmc';

/** Where a fencer finds the controller, and with which account. */
export interface ControllerAccess {
  readonly address: string;
  /** Files with nothing else in them. */
  readonly username: string;
  readonly password: string;
}

/** Holds the power of every node. */
export class ManagementController implements AsyncDisposable {
  readonly access: ControllerAccess;
  readonly #bmc: RedfishBmc;
  readonly #cluster: Pick<DemoCluster, 'crash'>;
  readonly #crashed: Set<string>;

  private constructor(
    access: ControllerAccess,
    bmc: RedfishBmc,
    cluster: Pick<DemoCluster, 'crash'>,
    crashed: Set<string>,
  ) {
    this.access = access;
    this.#bmc = bmc;
    this.#cluster = cluster;
    this.#crashed = crashed;
  }

  /**
   * @param directory - Where the account's files are written.
   * @param onTrouble - Called when a machine could not be switched as the controller was told.
   * @throws DemoFailure when a node doesn't say which machine it runs on.
   */
  static async start(options: {
    readonly cluster: Pick<DemoCluster, 'crash'>;
    readonly reader: KubernetesReader;
    readonly directory: string;
    readonly clock?: Clock;
    readonly onTrouble: (error: unknown) => void;
  }): Promise<ManagementController> {
    const { cluster, reader, directory, clock, onTrouble } = options;
    const account = { username: 'operator', password: randomBytes(12).toString('hex') };
    const crashed = new Set<string>();
    const machines = (await reader.list(nodes)).items.map(({ metadata: { name }, status }) => {
      const uuid = status?.nodeInfo?.systemUUID ?? '';
      if (uuid === '') throw new DemoFailure(`${name} does not say which machine it runs on`);
      const onPower = (power: 'On' | 'Off'): void => {
        if (power === 'On' || crashed.has(name)) return;
        crashed.add(name);
        cluster.crash(name).catch(onTrouble);
      };
      return { name, uuid, onPower };
    });
    const bmc = await startRedfishBmc({ machines, users: [account], ...(clock !== undefined && { clock }) });
    mkdirSync(directory, { recursive: true });
    const file = (name: 'username' | 'password'): string => {
      const path = join(directory, name);
      writeFileSync(path, account[name], { mode: 0o600 });
      return path;
    };
    const access = { address: bmc.url, username: file('username'), password: file('password') };
    return new ManagementController(access, bmc, cluster, crashed);
  }

  /** The power of a machine fails: that is no order of anybody, and its controller reads it off all the same. */
  async crash(node: string): Promise<void> {
    this.#crashed.add(node);
    await this.#cluster.crash(node);
    this.#bmc.machine(node).switch('Off');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bmc.close();
  }
}
