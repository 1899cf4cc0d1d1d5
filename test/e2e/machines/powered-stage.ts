// A stage whose nodes are machines with a power switch that a fence device can reach.
import { Stage, type StageOptions } from '../stage.ts';
import { MachineRoom } from './machine-room.ts';
import { type ManagedMachine, RedfishService } from './redfish-service.ts';

export interface PoweredStageOptions extends Omit<StageOptions, 'settings'> {
  /** More of the agents' configuration. */
  readonly settings?: object;
  /** Fencers beside `bmc`, given that one. */
  readonly fencersBeside?: (bmc: BmcFencer) => object;
  /** What the management controllers say of their machines. Default: the truth. */
  readonly machines?: (machines: readonly ManagedMachine[]) => readonly ManagedMachine[];
}

/** The fencer `bmc` as the configuration has it. */
interface BmcFencer {
  readonly driver: 'redfish';
  readonly address: string;
  readonly username: string;
  readonly password: string;
  readonly ca: string;
  readonly settle: string;
}

export class PoweredStage implements AsyncDisposable {
  readonly stage: Stage;
  readonly room: MachineRoom;
  readonly bmc: RedfishService;

  readonly #opened: AsyncDisposableStack;

  private constructor(stage: Stage, room: MachineRoom, bmc: RedfishService, opened: AsyncDisposableStack) {
    this.#opened = opened;
    this.stage = stage;
    this.room = room;
    this.bmc = bmc;
  }

  /** Agents live on machines of their own, so that they share an address with the device and die with no node. */
  static async open(options: PoweredStageOptions = {}): Promise<PoweredStage> {
    const { settings, fencersBeside, machines = (all) => all, ...rest } = options;
    await using opened = new AsyncDisposableStack();
    const bmc = opened.use(await RedfishService.prepare());
    const fencer: BmcFencer = {
      driver: 'redfish',
      address: bmc.url,
      username: bmc.files.username,
      password: bmc.files.password,
      ca: bmc.files.ca,
      settle: '1s',
    };
    const stage = opened.use(
      await Stage.open({
        agents: ['agent-a', 'agent-b'],
        ...rest,
        settings: { ...settings, fencers: { bmc: fencer, ...fencersBeside?.(fencer) } },
      }),
    );
    const room = opened.use(await MachineRoom.open(stage.cluster));
    const known = await Promise.all(
      stage.cluster.nodes.map(async ({ name }) => ({
        name,
        uuid: (await stage.node(name))?.status?.nodeInfo?.systemUUID ?? '',
      })),
    );
    await bmc.start(room, machines(known));
    return new PoweredStage(stage, room, bmc, opened.move());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}
