// What tests of the Redfish driver begin with: a controller on a real socket, files with credentials, and permits that are counted.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type FenceCheck,
  type FenceContext,
  type FencePermit,
  type FenceResult,
  type Fencer,
  type FenceTarget,
  type RedfishOptions,
  redfishFencer,
  systemClock,
  type UnfenceResult,
} from '@liberator/core';
import { type RedfishBmc, type RedfishBmcOptions, startRedfishBmc } from '@liberator/simulator';

export const uuid = '00112233-4455-6677-8899-aabbccddeeff';
export const otherUuid = '4c4c4544-0035-5810-8052-b4c04f4a4d31';
export const password = 'cor rect/hörse+9"';
export const username = 'liberator-bmc';

export function targetOf(more: Partial<FenceTarget['noted']> = {}, name = 'node-1'): FenceTarget {
  return {
    name,
    uid: 'u-1',
    deathId: 'd-1',
    noted: {
      machine: { systemUuid: uuid, machineId: '', providerId: '' },
      addresses: [],
      labels: {},
      annotations: {},
      ...more,
    },
    howToConfirm: 'say so',
  };
}

export interface StageOptions {
  readonly bmc?: Partial<RedfishBmcOptions>;
  readonly fencer?: Partial<RedfishOptions>;
}

export class RedfishStage implements AsyncDisposable {
  readonly bmc: RedfishBmc;
  readonly folder: string;
  readonly fencer: Fencer;
  /** Everything that the driver ever said. */
  readonly said: (FenceResult | UnfenceResult | FenceCheck)[] = [];
  /** What the next permits are; granted for five seconds after these. */
  permits: (FencePermit | (() => FencePermit | Promise<FencePermit>))[] = [];
  permitsAsked = 0;
  /** How many permits had been asked for when each reset came. */
  readonly #options: StageOptions;

  private constructor(bmc: RedfishBmc, folder: string, options: StageOptions) {
    this.bmc = bmc;
    this.folder = folder;
    this.#options = options;
    this.fencer = this.makeFencer();
  }

  static async open(options: StageOptions = {}): Promise<RedfishStage> {
    const folder = await mkdtemp(join(tmpdir(), 'redfish-'));
    const bmc = await startRedfishBmc({
      machines: [{ name: 'node-1', uuid }],
      users: [{ username, password }],
      ...options.bmc,
    });
    const stage = new RedfishStage(bmc, folder, options);
    await stage.write('username', username);
    await stage.write('password', `${password}\n`);
    return stage;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bmc.close();
    await rm(this.folder, { recursive: true });
  }

  makeFencer(more: Partial<RedfishOptions> = {}): Fencer {
    return redfishFencer({
      name: 'bmc',
      address: this.bmc.url,
      username: join(this.folder, 'username'),
      password: join(this.folder, 'password'),
      settleMs: 60,
      requestTimeoutMs: 2_000,
      offWithinMs: 300,
      ...this.#options.fencer,
      ...more,
    });
  }

  write(name: string, text: string): Promise<void> {
    return writeFile(join(this.folder, name), text);
  }

  context(signal: AbortSignal = new AbortController().signal): FenceContext {
    return {
      clock: systemClock,
      signal,
      permit: async () => {
        this.permitsAsked++;
        const next = this.permits.shift();
        if (next === undefined) return { outcome: 'granted', validForMs: 5_000 };
        return typeof next === 'function' ? next() : next;
      },
    };
  }

  async fence(target: FenceTarget = targetOf(), signal?: AbortSignal): Promise<FenceResult> {
    const result = await this.fencer.fence(target, this.context(signal));
    this.said.push(result);
    return result;
  }

  async check(target: FenceTarget = targetOf()): Promise<FenceCheck> {
    const found = await this.fencer.check?.(target, this.context());
    if (found === undefined) throw new Error('expected a check, found none');
    this.said.push(found);
    return found;
  }

  async unfence(target: FenceTarget = targetOf()): Promise<UnfenceResult> {
    const found = await this.fencer.unfence?.(target, this.context());
    if (found === undefined) throw new Error('expected it to be taken back, found no way');
    this.said.push(found);
    return found;
  }

  /** The resets that reached the controller, as `node-1 ForceOff`. */
  get resets(): readonly string[] {
    return this.bmc.requests
      .filter(({ method }) => method === 'POST')
      .map(({ path, resetType }) => `${path.split('/')[4]} ${resetType}`);
  }
}
