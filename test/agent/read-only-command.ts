// A simulated cluster for commands that only look: people with rights of their own, and a database on one of its nodes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AccessAttributes, resources, Simulator } from '@liberator/simulator';
import { runCommand } from '../processes/agent-process.ts';

export const asTest = { user: 'test' };

export interface LookedAtOptions {
  readonly nodes: number;
  /** Each of them gets a kubeconfig. */
  readonly users: readonly string[];
  readonly authorize: (attributes: AccessAttributes) => boolean;
  /** The StatefulSet `database`, of one pod. */
  readonly database: object;
}

/** What a command came to. */
export interface Looked {
  readonly code: number | null;
  readonly text: string;
  readonly stderr: string;
}

export class LookedAt implements AsyncDisposable {
  readonly simulator: Simulator;
  readonly folder: string = mkdtempSync(join(tmpdir(), 'liberator-looked-at-'));

  private constructor(simulator: Simulator) {
    this.simulator = simulator;
  }

  /** Resolves once the database is on a node. */
  static async start({ nodes, users, authorize, database }: LookedAtOptions): Promise<LookedAt> {
    const simulator = await Simulator.start({ http: true, nodes, timings: { speedUp: 10 }, authorize });
    const cluster = new LookedAt(simulator);
    for (const user of users) writeFileSync(join(cluster.folder, user), simulator.kubeconfig({ user }));
    simulator.store.create(resources.statefulsets, database, asTest);
    await simulator.until(() => cluster.databaseNode !== undefined, { limitMs: 20_000 });
    return cluster;
  }

  /** Where the database is; undefined while it is on no node. */
  get databaseNode(): string | undefined {
    const pod = this.simulator.store.find(resources.pods, 'default', 'database-0') as
      | { readonly spec?: { readonly nodeName?: string } }
      | undefined;
    return pod?.spec?.nodeName;
  }

  /** Runs a command of `liberator` as somebody. */
  async run(command: string, user: string, ...args: readonly string[]): Promise<Looked> {
    const running = runCommand([command, '--kubeconfig', join(this.folder, user), ...args]);
    const { code } = await running.exit;
    return { code, text: running.entries.map(({ msg }) => msg).join('\n'), stderr: running.stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.simulator.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
