// Does to nodes what happens to machines: crash, hang, lose the network, lose only the kubelet, come back.
import { randomBytes, randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { AddressPlan, NodeAddress } from './addresses.ts';
import { readNode, readProcess, runtimeDirectory, writeNode, writeProcess } from './cluster-directory.ts';
import { type ClusterShape, kubeletArguments } from './components.ts';
import { commandInside, connectNode, disconnectNode, isLinkUp, setLink } from './network.ts';
import { checkVerb, type NodeCondition, nodeCondition } from './node-condition.ts';
import {
  holdProcess,
  killProcesses,
  type ProcessRecord,
  type ProcessState,
  processState,
  signalProcess,
  startDaemon,
} from './process-guard.ts';

/** A node of a running cluster, with the means to do things to it. */
export class ClusterNode {
  readonly name: string;
  /** The node's InternalIP. Its kubelet listens there at port 10250. */
  readonly ip: string;
  /** Its network namespace, for `ip netns exec`. */
  readonly namespace: string;
  /** Its label `topology.kubernetes.io/zone`. */
  readonly zone: string;
  readonly #address: NodeAddress;
  readonly #shape: ClusterShape;
  readonly #program: string;

  constructor(address: NodeAddress, zone: string, shape: ClusterShape, program: string) {
    this.name = address.name;
    this.ip = address.ip;
    this.namespace = address.namespace;
    this.zone = zone;
    this.#address = address;
    this.#shape = shape;
    this.#program = program;
  }

  get logPath(): string {
    return join(this.#shape.dir, 'logs', `${this.name}.log`);
  }

  get pid(): number | undefined {
    return this.#kubeletState() === 'gone' ? undefined : readProcess(this.#shape.dir, this.name)?.pid;
  }

  /** What the kernel says now. */
  get condition(): NodeCondition {
    return nodeCondition(this.#kubeletState(), isLinkUp(this.#address));
  }

  /** Changes with every boot, as on a real machine. Undefined until the node was started. */
  get bootId(): string | undefined {
    return readNode(this.#shape.dir, this.name)?.bootId;
  }

  /** Builds the machine and starts its kubelet. */
  async create(addresses: AddressPlan): Promise<void> {
    connectNode(addresses, this.#address);
    writeNode(this.#shape.dir, this.name, {
      machineId: randomBytes(16).toString('hex'),
      bootId: randomUUID(),
    });
    await this.#startKubelet();
  }

  /** The cable first: a machine that loses its power says goodbye to nobody. */
  crash(): void {
    checkVerb('crash', this.name, this.condition);
    setLink(this.#address, 'down');
    this.#killKubelet();
  }

  stopKubelet(): void {
    checkVerb('stop-kubelet', this.name, this.condition);
    this.#killKubelet();
  }

  pause(): void {
    checkVerb('pause', this.name, this.condition);
    this.#withKubelet(holdProcess);
  }

  resume(): void {
    checkVerb('resume', this.name, this.condition);
    this.#withKubelet((kubelet) => signalProcess(kubelet, 'SIGCONT'));
  }

  cut(): void {
    checkVerb('cut', this.name, this.condition);
    setLink(this.#address, 'down');
  }

  heal(): void {
    checkVerb('heal', this.name, this.condition);
    setLink(this.#address, 'up');
  }

  /** After a crash the machine boots: a new boot ID, and no connection of before is remembered. */
  async start(): Promise<void> {
    const before = this.condition;
    checkVerb('start', this.name, before);
    if (before === 'crashed') {
      const { machineId = randomBytes(16).toString('hex') } = readNode(this.#shape.dir, this.name) ?? {};
      writeNode(this.#shape.dir, this.name, { machineId, bootId: randomUUID() });
      disconnectNode(this.#address);
      connectNode(this.#shape.addresses, this.#address);
    }
    await this.#startKubelet();
  }

  async #startKubelet(): Promise<void> {
    const { dir } = this.#shape;
    const record = readNode(dir, this.name);
    const rootDirectory = join(runtimeDirectory(dir), this.name);
    rmSync(rootDirectory, { recursive: true, force: true });
    const args = kubeletArguments(this.#shape, {
      address: this.#address,
      zone: this.zone,
      bootId: record?.bootId ?? '',
      machineId: record?.machineId ?? '',
      rootDirectory,
    });
    const [command = '', ...rest] = commandInside(this.#address, this.#program, args);
    writeProcess(dir, this.name, await startDaemon({ command, args: rest, logPath: this.logPath }));
  }

  #kubeletState(): ProcessState {
    const record = readProcess(this.#shape.dir, this.name);
    return record === undefined ? 'gone' : processState(record);
  }

  #killKubelet(): void {
    this.#withKubelet((kubelet) => {
      killProcesses([kubelet]);
    });
  }

  #withKubelet(act: (kubelet: ProcessRecord) => void): void {
    const record = readProcess(this.#shape.dir, this.name);
    if (record !== undefined) {
      act(record);
    }
  }
}
