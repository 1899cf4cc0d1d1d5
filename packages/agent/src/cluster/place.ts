// Which installation of Liberator a person means: a namespace and the name of an election in it.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { lookAtSurroundings } from '../process/surroundings.ts';
import { addClusterOptions, type ClusterFlags } from './flags.ts';

/** The flags of every command that looks at an installation. */
export interface PlaceFlags extends ClusterFlags {
  readonly namespace?: string;
  readonly election?: string;
}

export interface Place {
  readonly namespace: string;
  readonly election: { readonly namespace: string; readonly name: string };
}

/** Where the chart installs it unless it is told otherwise. */
const defaultNamespace = 'tkr-system';
const defaultElection = 'liberator';

/** Adds what says which cluster, `--namespace` and `--election`. */
export function addPlaceOptions(command: Command): Command {
  return addClusterOptions(command)
    .addOption(
      new Option(
        '-n, --namespace <name>',
        `where Liberator is (default: the pod's own, or ${defaultNamespace})`,
      ).argParser(kubernetesName),
    )
    .addOption(
      new Option('--election <name>', `its election Lease (default: ${defaultElection})`).argParser(
        kubernetesName,
      ),
    );
}

/** @param configured - What a configuration says, if there is one; flags go before it. */
export function placeOf(flags: PlaceFlags, configured: Partial<Place> = {}): Place {
  const namespace =
    flags.namespace ?? configured.namespace ?? lookAtSurroundings().namespace ?? defaultNamespace;
  const name = flags.election ?? configured.election?.name ?? defaultElection;
  return { namespace, election: { namespace, name } };
}

function kubernetesName(text: string): string {
  if (/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError(
    `expected a Kubernetes name, lower-case letters, digits, "-" and ".", found "${text}"`,
  );
}
