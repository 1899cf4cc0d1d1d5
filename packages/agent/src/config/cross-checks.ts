// What no single key shows: settings that contradict one another, and settings that are allowed but can do nothing.
import {
  type AcceptableProof,
  defaultSightRules,
  hungFault,
  longestHealthySilenceMs,
  manualFencer,
  noneFencer,
  shortestSafeDeathMs,
} from '@liberator/core';
import { formatDuration } from '../text/duration.ts';
import type { Config, ElectionConfig, PolicyConfig } from './config.ts';
import { contradictionsIn, type FencerConfig } from './fencers/fencer.ts';
import { nearest } from './nearest.ts';
import type { Problem } from './problem.ts';
import { watchdogContradictions } from './watchdog-checks.ts';

type Path = readonly PropertyKey[];

/** A leader must be able to try its renewal twice before it has to give up. */
const leastRenewalsPerDeadline = 1.2;

/** Settings that contradict one another: reasons not to start. */
export function contradictions(config: Config): readonly Problem[] {
  const names = config.policies.map(({ name }) => name);
  return [
    ...electionContradictions(config.election),
    ...fencerContradictions(config.fencers),
    ...config.policies.flatMap((policy, index) => {
      const path = ['policies', index];
      return [
        ...(names.indexOf(policy.name) < index
          ? [problem([...path, 'name'], `expected a name of its own, found "${policy.name}" a second time`)]
          : []),
        ...selectorContradictions(policy.nodes, [...path, 'nodes']),
        ...detectionContradictions(policy.detection, config.heartbeatInterval, [...path, 'detection']),
        ...budgetContradictions(policy, [...path, 'budget']),
        ...fencingContradictions(policy, config.fencers, [...path, 'fencing']),
        ...watchdogContradictions(policy.fencing, config.fencers, [...path, 'fencing']),
        ...checkAgeContradictions(policy.fencing, config.drill, [...path, 'fencing', 'maxCheckAge']),
      ];
    }),
  ];
}

/** Settings that are allowed, yet hardly what was meant: told loudly at every start. */
export function warnings(config: Config): readonly Problem[] {
  return [...uselessPolicies(config), ...uselessRungs(config), ...deprecatedKeys(config)];
}

/** Asking nobody ends a climb at once, or is passed over at once. */
function uselessRungs({ policies }: Config): readonly Problem[] {
  return policies.flatMap(({ name, fencing: { ladder, drivers = [], proof } }, index) => {
    const names = ladder?.map(({ fencer }) => fencer) ?? drivers;
    const place = names.indexOf(noneFencer.name);
    const below = names.slice(place + 1);
    if (place === -1 || (proof === 'optional' && below.length === 0)) return [];
    const path = ['policies', index, 'fencing', ladder === undefined ? 'drivers' : 'ladder', place];
    const what =
      proof === 'required'
        ? 'none does nothing in it, since a proof is required'
        : `${below.join(', ')} would never be asked, since "none" before it ends the ladder without a proof`;
    return [problem(path, `the ladder of the policy "${name}": ${what}`)];
  });
}

/** They go on working for a while, and say what to use instead. */
function deprecatedKeys({ policies }: Config): readonly Problem[] {
  return policies.flatMap(({ fencing: { drivers: names } }, index) => {
    if (names === undefined) return [];
    const instead = `[${names.map((fencer) => `{ fencer: ${fencer} }`).join(', ')}]`;
    return [
      problem(['policies', index, 'fencing', 'drivers'], `is deprecated: write "ladder: ${instead}" instead`),
    ];
  });
}

function uselessPolicies(config: Config): readonly Problem[] {
  const all = config.policies.findIndex(({ nodes }) => nodes.all === true);
  return config.policies.flatMap((policy, index) => {
    const path = ['policies', index, 'nodes'];
    const { nodes } = policy;
    const requirements = Object.keys(nodes.matchLabels ?? {}).length + (nodes.matchExpressions ?? []).length;
    if (nodes.all !== true && requirements === 0) {
      const hint = 'an empty selector matches no node, never every node; say "all: true" for every node';
      return [problem(path, `the policy "${policy.name}" does nothing: ${hint}`)];
    }
    if (all !== -1 && index > all) {
      const first = config.policies[all]?.name;
      return [
        problem(path, `the policy "${policy.name}" does nothing: "${first}" before it takes every node`),
      ];
    }
    return [];
  });
}

function electionContradictions(election: ElectionConfig): readonly Problem[] {
  const { leaseDuration, renewDeadline, retryPeriod } = election;
  const problems: Problem[] = [];
  if (leaseDuration <= renewDeadline) {
    problems.push(expectMore(['election', 'leaseDuration'], 'renewDeadline', renewDeadline, leaseDuration));
  }
  if (renewDeadline <= leastRenewalsPerDeadline * retryPeriod) {
    const what = `${leastRenewalsPerDeadline} times retryPeriod`;
    const least = leastRenewalsPerDeadline * retryPeriod;
    problems.push(expectMore(['election', 'renewDeadline'], what, least, renewDeadline));
  }
  return problems;
}

function selectorContradictions(nodes: PolicyConfig['nodes'], path: Path): readonly Problem[] {
  const problems: Problem[] = [];
  if (nodes.all === true && (nodes.matchLabels !== undefined || nodes.matchExpressions !== undefined)) {
    problems.push(problem(path, 'expected either all or matchLabels and matchExpressions, found both'));
  }
  for (const [index, { operator, values = [] }] of (nodes.matchExpressions ?? []).entries()) {
    const where = [...path, 'matchExpressions', index, 'values'];
    const wantsValues = operator === 'In' || operator === 'NotIn';
    if (wantsValues && values.length === 0) {
      problems.push(problem(where, `expected at least one value for ${operator}, found none`));
    }
    if (!wantsValues && values.length > 0) {
      problems.push(problem(where, `expected no values for ${operator}, found ${values.length}`));
    }
  }
  return problems;
}

function detectionContradictions(
  detection: PolicyConfig['detection'],
  heartbeatIntervalMs: number,
  path: Path,
): readonly Problem[] {
  if (detection.mode === 'poll') return [];
  const { suspectAfter, deadAfter, deadUnprobedAfter } = detection;
  const problems: Problem[] = [];
  const safe = shortestSafeDeathMs({ ...defaultSightRules, heartbeatIntervalMs });
  if (deadAfter < safe) {
    const why = `2.3 times heartbeatInterval, so that an outage is not taken for the death of one node`;
    problems.push(
      problem(
        [...path, 'deadAfter'],
        `expected at least ${formatDuration(safe)}, ${why}; found ${formatDuration(deadAfter)}`,
      ),
    );
  }
  if (deadAfter < suspectAfter) {
    problems.push(
      problem(
        [...path, 'deadAfter'],
        `expected at least suspectAfter (${formatDuration(suspectAfter)}), found ${formatDuration(deadAfter)}`,
      ),
    );
  }
  if (deadUnprobedAfter <= longestHealthySilenceMs) {
    const why = 'a healthy kubelet may be silent for that long';
    problems.push(
      problem(
        [...path, 'deadUnprobedAfter'],
        `expected more than ${formatDuration(longestHealthySilenceMs)}, since ${why}; ` +
          `found ${formatDuration(deadUnprobedAfter)}`,
      ),
    );
  }
  return problems;
}

/** One outage is told as deaths that come one after another: the budget has to know of the first when the last is told. */
function budgetContradictions({ budget, detection }: PolicyConfig, path: Path): readonly Problem[] {
  const [what, leastMs] =
    detection.mode === 'poll'
      ? ['the time that detection takes', detection.interval * (detection.threshold + 1)]
      : ['detection.deadUnprobedAfter', detection.deadUnprobedAfter];
  return budget.window < leastMs
    ? [
        problem(
          [...path, 'window'],
          `expected at least ${what} (${formatDuration(leastMs)}), or deaths of one outage would not count together; ` +
            `found ${formatDuration(budget.window)}`,
        ),
      ]
    : [];
}

/** Always there, whatever the configuration names. */
const builtIn: readonly string[] = [manualFencer.name, noneFencer.name];

function fencingContradictions(
  { fencing, evidence }: Pick<PolicyConfig, 'fencing' | 'evidence'>,
  fencers: Config['fencers'],
  path: Path,
): readonly Problem[] {
  const { ladder, proof, accept, giveUpAfter, hungAfter, afterwards } = fencing;
  const names = ladder?.map(({ fencer }) => fencer) ?? fencing.drivers ?? [];
  const key = ladder === undefined ? 'drivers' : 'ladder';
  const where = (index: number): Path =>
    ladder === undefined ? [...path, key, index] : [...path, key, index, 'fencer'];
  const problems: Problem[] = [];
  if (ladder !== undefined && fencing.drivers !== undefined) {
    problems.push(problem([...path, 'drivers'], 'expected either ladder or drivers, found both'));
  }
  for (const [index, name] of names.entries()) {
    if (!builtIn.includes(name) && !Object.hasOwn(fencers, name)) {
      problems.push(problem(where(index), unknownFencer(name, [...Object.keys(fencers), ...builtIn])));
    }
  }
  if (new Set(names).size < names.length) {
    problems.push(problem([...path, key], `expected each fencer once, found [${names.join(', ')}]`));
  }
  if (proof === 'required' && names.every((name) => name === noneFencer.name)) {
    problems.push(
      problem(
        [...path, key],
        'expected a fencer that gives a proof, found only none: with "proof: required" nothing would ever be released',
      ),
    );
  }
  if (names.includes(manualFencer.name) && accept?.includes('confirmed-by-human') === false) {
    problems.push(
      problem([...path, 'accept'], 'expected confirmed-by-human, since a human is asked; found none of it'),
    );
  }
  for (const name of new Set(names)) {
    const given = Object.hasOwn(fencers, name) ? proofsOf(fencers[name]) : [];
    if (accept === undefined || given.length === 0 || given.some((one) => accept.includes(one))) continue;
    const [wanted, none] =
      given.length === 1 ? [given[0], 'none of it'] : [`one of ${given.join(', ')}`, 'none of them'];
    problems.push(
      problem([...path, 'accept'], `expected ${wanted}, since ${name} gives no other proof; found ${none}`),
    );
  }
  if (afterwards === 'power-on' && !names.some((name) => switchesOn(name, fencers))) {
    const why = 'no fencer of its ladder switches a machine off, proves it, and can switch it on again';
    problems.push(problem([...path, 'afterwards'], `expected leave-off, since ${why}; found power-on`));
  }
  if (proof === 'required' && giveUpAfter !== undefined) {
    const why = 'with "proof: required" a takeover never goes on without one';
    problems.push(problem([...path, 'giveUpAfter'], `expected nothing, since ${why}; found a duration`));
  }
  const fault = hungFault(
    { proof, ...(accept && { accept }), ...(hungAfter !== undefined && { hungAfterMs: hungAfter }) },
    { switchesPower: names.some((name) => switchesPower(name, fencers)), evidence },
  );
  if (fault !== undefined) problems.push(problem([...path, 'hungAfter'], fault));
  return problems;
}

/** All that it may ever give. */
function proofsOf(config: FencerConfig | undefined): readonly AcceptableProof[] {
  switch (config?.driver) {
    case 'agent':
      return [config.proof];
    case 'redfish':
      return ['powered-off'];
    case 'webhook':
      return config.proofs;
    case 'watchdog':
      return ['self-fenced'];
    case 'networkFence':
      return ['isolated'];
    case undefined:
      return [];
  }
}

/** Only what was proven to be off by the same fencer is switched on. */
function switchesOn(name: string, fencers: Config['fencers']): boolean {
  const config = Object.hasOwn(fencers, name) ? fencers[name] : undefined;
  return proofsOf(config).includes('powered-off') && (config?.driver !== 'webhook' || config.unfences);
}

/** What nobody ever says yes to would hold every takeover. */
function checkAgeContradictions(
  { ladder, drivers, maxCheckAge }: PolicyConfig['fencing'],
  { enabled }: Config['drill'],
  path: Path,
): readonly Problem[] {
  if (maxCheckAge === undefined) return [];
  const names = ladder?.map(({ fencer }) => fencer) ?? drivers ?? [];
  const what = names.every((name) => builtIn.includes(name))
    ? 'a fencer with a device, since people are not checked'
    : 'drill.enabled, since nobody would be asked';
  return names.every((name) => builtIn.includes(name)) || !enabled
    ? [problem(path, `expected ${what}; found none`)]
    : [];
}

function switchesPower(name: string, fencers: Config['fencers']): boolean {
  const config = Object.hasOwn(fencers, name) ? fencers[name] : undefined;
  return config !== undefined && isPowerSwitch(config);
}

/** What a machine that went off and can be switched on again is proven by. */
const ofPower: readonly AcceptableProof[] = ['powered-off', 'rebooted', 'instance-gone'];

/** A driver that is added to the configuration is an error of the type checker here. */
function isPowerSwitch(config: FencerConfig): boolean {
  switch (config.driver) {
    case 'agent':
      return config.proof === 'powered-off';
    case 'redfish':
      return true;
    case 'webhook':
      return config.proofs.every((proof) => ofPower.includes(proof));
    case 'networkFence':
    case 'watchdog':
      return false;
  }
}

function unknownFencer(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  const hint = meant === undefined ? '' : `: did you mean ${meant}?`;
  return `expected one of ${known.join(', ')}, found "${name}"${hint}`;
}

/** A name that is taken would make two fencers one. */
function fencerContradictions(fencers: Config['fencers']): readonly Problem[] {
  return Object.entries(fencers).flatMap(([name, config]) => {
    const at: Path = ['fencers', name];
    return [
      ...(builtIn.includes(name)
        ? [problem(at, `expected a name of its own, found ${name}, which is always there`)]
        : []),
      ...contradictionsIn(config).map(({ path, message }) => problem([...at, ...path], message)),
    ];
  });
}

function problem(path: Path, message: string): Problem {
  return { path, message };
}

function expectMore(path: Path, what: string, leastMs: number, foundMs: number): Problem {
  return problem(
    path,
    `expected more than ${what} (${formatDuration(leastMs)}), found ${formatDuration(foundMs)}`,
  );
}
