// Events on a real control plane: what comes about again is counted where it was said before, as Kubernetes' own recorder does.
import { expect, it } from 'vitest';
import { fast } from './fast.ts';
import { Stage } from './stage.ts';

it('an Event that comes about again is counted up, not made anew', async () => {
  await using stage = await Stage.open({
    ...fast,
    agents: ['agent-a'],
    policy: { detection: fast.detection },
  });
  const node = await stage.databaseNode();
  const pausedFor = (reason: string): Promise<void> =>
    stage.annotate(node, { 'liberator.dev/paused': reason });
  const toldOf = async (reason: string) =>
    (await stage.eventsAbout(node, 'TakeoverHeld')).filter(({ message }) => message?.includes(reason));

  await pausedFor('flaky power supply');
  stage.cluster.crash(node);
  await stage.until('that is told', async () => (await toldOf('flaky power supply')).length === 1);
  await pausedFor('somebody is on the way');
  await stage.until('that is told', async () => (await toldOf('somebody is on the way')).length === 1);
  await pausedFor('flaky power supply');
  await stage.until('it is counted', async () =>
    (await toldOf('flaky power supply')).some(({ count }) => (count ?? 1) > 1),
  );
  expect(await toldOf('flaky power supply')).toHaveLength(1);
});
