// Could the nodes of each policy be fenced? By what the leader was told last, or asked from here where a configuration says how.
import {
  type DrillStatus,
  type KubernetesReader,
  nodes,
  type PolicyDrill,
  type RungStatus,
  readStatus,
  type StatusDocument,
  selects,
} from '@liberator/core';
import type { Place } from '../cluster/place.ts';
import type { Config } from '../config/config.ts';
import { controllerSettings } from '../config/controller-settings.ts';
import { askFleet } from '../fencers/ask-fleet.ts';
import { buildFencers } from '../fencers/build-fencers.ts';
import { missingFilesOf } from '../fencers/missing-files.ts';
import { type Finding, failure, lookingAt, ok, skipped, warning } from './finding.ts';

/** So many are named; the rest is in `liberator status`. */
const longestNames = 3;

export function checkFencers(
  reader: KubernetesReader,
  place: Place,
  config: Config | undefined,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  return lookingAt('fencers', async () => {
    const isHere = config !== undefined && missingFilesOf(config.fencers).length === 0;
    if (isHere) return fromHere(reader, config, signal);
    return judgePublished(await readStatus(reader, place, { timeoutMs: 10_000 }));
  });
}

async function fromHere(
  reader: KubernetesReader,
  config: Config,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const { items } = await reader.list(nodes);
  const { policies } = controllerSettings(config);
  const fencers = buildFencers(config.fencers, { reader });
  const idle = policies.filter(({ name }) => !items.some((node) => policyNamed(node, policies) === name));
  const drill = await askFleet(items, policies, fencers, signal);
  return [
    ...judgeDrill(drill),
    ...idle.map(({ name }) =>
      warning(`policy ${name}`, 'it selects no node, so nothing ever follows from it'),
    ),
  ];
}

function policyNamed(
  { metadata }: { readonly metadata: { readonly labels?: Readonly<Record<string, string>> } },
  policies: readonly { readonly name: string; readonly nodes: Parameters<typeof selects>[0] }[],
): string | undefined {
  return policies.find((one) => selects(one.nodes, metadata.labels ?? {}))?.name;
}

/** What the leader was told by those whom it asked. */
export function judgePublished(document: StatusDocument | undefined): readonly Finding[] {
  if (document === undefined) {
    return [skipped('fencers', 'nobody has published what they say: an agent does while it leads')];
  }
  const { drill } = document;
  return drill === undefined
    ? [ok('none has a device that could be asked', 'humans vouch for deaths, or nobody does')]
    : judgeDrill(drill);
}

/** A line for each rung of each policy, and one for a policy that nobody can act on. */
export function judgeDrill(drill: DrillStatus): readonly Finding[] {
  return drill.policies.flatMap((policy) => [
    ...policy.ladder.map((rung) => judgeRung(policy, rung, drill)),
    ...judgePolicy(policy),
  ]);
}

function judgeRung({ policy, nodes: all }: PolicyDrill, rung: RungStatus, drill: DrillStatus): Finding {
  const what = `policy ${policy}: ${rung.fencer}`;
  const { unchecked, ready, notReady, waiting } = rung;
  if (unchecked === true) return ok(what, 'has no device that could be asked');
  if (notReady > 0) {
    const own = drill.attention.filter((one) => one.policy === policy && one.fencer === rung.fencer);
    const named = own.flatMap(({ node, problem }) =>
      problem === undefined ? [] : [`${node}: ${problem.detail}`],
    );
    const more = notReady - Math.min(longestNames, named.length);
    const words = [...named.slice(0, longestNames), ...(more > 0 ? [`and ${more} more`] : [])];
    return warning(
      what,
      `could not fence ${notReady} of ${ready + notReady} nodes that it was asked about: ${words.join('; ')}`,
    );
  }
  if (ready === 0) return skipped(what, `was asked about none of ${all} nodes yet`);
  return ok(
    what,
    waiting > 0
      ? `ready for ${ready} of ${all} nodes, not asked about the others`
      : `ready for all of ${ready}`,
  );
}

/** One whose every rung has a device that says no, with no human behind them. */
function judgePolicy({ policy, ladder }: PolicyDrill): readonly Finding[] {
  const isUseless = ({ unchecked, ready, notReady }: RungStatus): boolean =>
    unchecked !== true && ready === 0 && notReady > 0;
  return ladder.length > 0 && ladder.every(isUseless)
    ? [
        failure(
          `policy ${policy}`,
          'none of its fencers could fence any node: a takeover would wait in its fence',
        ),
      ]
    : [];
}
