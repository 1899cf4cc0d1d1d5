// What a driver says: the same for the same, and never a secret.
import type { DeviceCondition } from './bench.ts';
import { type FencerCase, inEach } from './case.ts';
import { listenToProcess } from './process-output.ts';
import { insist, type Trial } from './trial.ts';

const conditions: readonly DeviceCondition[] = ['well', 'refusing', 'unreachable', 'stuck'];

export const stable: FencerCase = {
  name: 'says the same in the same words each time',
  async run(inScene) {
    await inEach(conditions, async (condition) => {
      await inScene(async (trial) => {
        await trial.scene.set(condition);
        const first = trial.scene.fencer();
        // The way there has words of its own.
        for (let times = 0; times < 2; times++) await trial.untilStill(first);
        const details = new Set<string | undefined>();
        for (const [times, fencer] of [first, trial.scene.fencer(), first].entries()) {
          await trial.wait(1 + 13 * times);
          if (condition === 'well' && times === 2) await trial.scene.set('slow');
          details.add((await trial.untilStill(fencer)).answer?.detail);
        }
        insistOnOne(details, `fence of a device that is ${condition}`);
      });
      await inScene(async (trial) => {
        const fencer = trial.scene.fencer();
        if (fencer.check === undefined) return;
        await trial.scene.set(condition);
        const details = new Set<string | undefined>();
        for (const pauseMs of [1, 13, 37]) {
          await trial.wait(pauseMs);
          details.add((await trial.check(fencer)).answer?.detail);
        }
        insistOnOne(details, `check of a device that is ${condition}`);
      });
    });
  },
};

function insistOnOne(details: ReadonlySet<string | undefined>, what: string): void {
  insist(
    details.size === 1,
    () => `the ${what} has changing words, each of which becomes an Event: ${[...details].join(' | ')}`,
  );
}

export const secrets: FencerCase = {
  name: 'lets no secret out, in answers, errors, output or what others see of its programs',
  async run(inScene) {
    await inEach([...conditions, 'hanging'] as const, async (condition) => {
      await inScene(async (trial) => {
        const { scene } = trial;
        insist(scene.secrets.length > 0, () => 'the bench names no secrets: say why under "except"');
        const heard = listenToProcess();
        const visible = watchProcesses(trial);
        try {
          await scene.set(condition);
          for (const said of await everythingAsked(trial)) heard.add(said);
        } finally {
          heard.stop();
          visible.stop();
        }
        for (const secret of scene.secrets) {
          const told = [...heard.said, ...visible.said].find((text) => holds(text, secret));
          insist(told === undefined, () => `a secret is told (device: ${condition}): ${told}`);
        }
      });
    });
  },
};

/** Every question there is, each with a time of its own. */
async function everythingAsked(trial: Trial): Promise<readonly unknown[]> {
  const { scene, times } = trial;
  const fencer = scene.fencer();
  const { wrongTarget } = scene;
  const asking = () => {
    const ended = new AbortController();
    void trial.wait(times.slowMs).then(() => ended.abort(new Error('its time is up')));
    return { signal: ended.signal };
  };
  const said: unknown[] = [];
  if (fencer.check !== undefined) said.push(await trial.check(fencer, asking()));
  for (let round = 0; round < 3; round++) said.push(await trial.fence(fencer, asking()));
  if (wrongTarget !== undefined) said.push(await trial.fence(fencer, { ...asking(), target: wrongTarget }));
  if (fencer.unfence !== undefined) said.push(await trial.unfence(fencer, asking()));
  said.push(fencer, fencer.device?.(trial.target));
  return said;
}

function watchProcesses(trial: Trial): { readonly said: readonly string[]; stop(): void } {
  const said: string[] = [];
  const { processes } = trial.scene;
  let open = processes !== undefined;
  const look = async (): Promise<void> => {
    while (open) {
      for (const { visible } of trial.scene.processes?.() ?? []) said.push(visible);
      await trial.wait(5);
    }
  };
  void look();
  return {
    said,
    stop: () => {
      open = false;
    },
  };
}

/** As it is, or as it is written in what carries text. */
function holds(text: string, secret: string): boolean {
  const bytes = Buffer.from(secret);
  const forms = [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    bytes.toString('base64'),
    bytes.toString('base64url'),
    bytes.toString('hex'),
  ];
  return forms.some((form) => text.includes(form));
}
