// Each configuration of a fence agent that the documentation shows, against what the agent itself says: a parameter that it
// doesn't know, or one that it needs and doesn't get, would be found when a node has died.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { agentOptions } from '../../packages/agent/src/config/fencers/agent.ts';
import { parseConfig } from '../../packages/agent/src/config/read-config.ts';
import { givenBy } from '../../packages/core/src/fencing/drivers/fence-agent-calls.ts';
import { faultOf, unknownParameter } from '../../packages/core/src/fencing/drivers/fence-agent-metadata.ts';
import { findProgram, metadataOf } from '../../packages/core/src/fencing/drivers/fence-agent-program.ts';
import { fencesIn, root } from '../documents/documents.ts';
import { needPrograms } from '../fencing/ipmi-machine.ts';

const policies = 'policies: [{ name: others, nodes: { all: true } }]';

function agentsIn(text: string, at: string) {
  const { fencers = {} } = (parse(text) ?? {}) as { readonly fencers?: object };
  const { config } = parseConfig(JSON.stringify({ fencers, ...parse(policies) }), at, {
    namespace: 'n',
    identity: 'i',
  });
  return Object.entries(config.fencers).flatMap(([name, fencer]) =>
    fencer.driver === 'agent' ? [{ at: `${at} ${name}`, fencer }] : [],
  );
}

const documented = fencesIn('yaml').flatMap(({ at, text }) =>
  /^fencers:/m.test(text) ? agentsIn(text, at) : [],
);
const file = 'packages/agent/liberator.example.yaml';
const example = readFileSync(join(root, file), 'utf8').replaceAll(/^( *)#(?=\w|- | {2,}[\w-])/gm, '$1');

describe('a configuration of a fence agent', () => {
  it('is shown for the kinds of machines that most have', () => {
    expect(documented.map(({ fencer }) => fencer.program)).toEqual(
      expect.arrayContaining([
        'fence_ipmilan',
        'fence_redfish',
        'fence_pve',
        'fence_vmware_rest',
        'fence_aws',
        'fence_kubevirt',
      ]),
    );
  });

  it.each([...documented, ...agentsIn(example, file)])(
    'gives what the agent needs, and nothing that it does not know: $at',
    async ({ fencer }) => {
      needPrograms(fencer.program);
      const program = findProgram(fencer.program) ?? '';
      const metadata = await metadataOf(program, new AbortController().signal);
      if (metadata === undefined) throw new Error(`${program} says nothing of itself`);
      const given = givenBy(agentOptions('x', fencer));
      expect(faultOf(metadata, given, ['off', 'status'])).toBeUndefined();
      expect(unknownParameter(metadata, given.names)).toBeUndefined();
    },
  );
});
