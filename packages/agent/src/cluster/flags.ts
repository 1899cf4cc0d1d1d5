// The flags by which every command is told which cluster to talk to and as whom; they mean what they mean to kubectl.

import type { LoadKubeConfigOptions } from '@liberator/core';
import type { Command } from 'commander';

export interface ClusterFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly cluster?: string;
  readonly user?: string;
  readonly as?: string;
  readonly asGroup?: readonly string[];
}

/** The help text of `--kubeconfig` for commands that people type. */
const callersKubeconfigHelp =
  "the cluster and who you are (default: $KUBECONFIG, ~/.kube/config, or the pod's service account)";

/** The same for processes that run by themselves, and must not end up in whatever cluster somebody last worked with. */
export const namedKubeconfigHelp = "how to reach the cluster (default: the pod's service account)";

/** Adds `--kubeconfig`, `--context`, `--cluster`, `--user`, `--as` and `--as-group`. */
export function addClusterOptions(command: Command, kubeconfigHelp: string = callersKubeconfigHelp): Command {
  return command
    .option('--kubeconfig <file>', kubeconfigHelp)
    .option('--context <name>', 'the context of the kubeconfig to use')
    .option('--cluster <name>', "the kubeconfig's cluster to use, whatever the context says")
    .option('--user <name>', "the kubeconfig's user to use, whatever the context says")
    .option('--as <user>', 'act as this user, who has to be one that you may impersonate')
    .option('--as-group <group>', 'act as a member of this group; may be given several times', collect);
}

function collect(group: string, groups: readonly string[] = []): readonly string[] {
  return [...groups, group];
}

/** What of it a kubeconfig is chosen from by. */
export function choiceOf({ context, cluster, user, as, asGroup }: ClusterFlags): LoadKubeConfigOptions {
  return { context, cluster, user, as, asGroups: asGroup };
}

/** The flags as they would be typed again, for lines that say how to go on. */
export function clusterArguments(flags: ClusterFlags): readonly string[] {
  const { kubeconfig, context, cluster, user, as, asGroup = [] } = flags;
  const single = { kubeconfig, context, cluster, user, as };
  return [
    ...Object.entries(single).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}`, quoted(value)],
    ),
    ...asGroup.flatMap((group) => ['--as-group', quoted(group)]),
  ];
}

/** For a shell, where it needs that. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
