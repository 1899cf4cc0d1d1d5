// `liberator check`: looks at a cluster before it has to be relied on, and changes nothing.
import {
  createReader,
  createTransport,
  isNotFound,
  type KubernetesReader,
  type Resource,
  type Transport,
  whoAmI,
} from '@liberator/core';
import { explained, loadCallersKubeConfig } from '../cluster/callers-cluster.ts';
import type { PlaceFlags } from '../cluster/place.ts';
import { type Place, placeOf } from '../cluster/place.ts';
import type { Config } from '../config/config.ts';
import { readConfig } from '../config/read-config.ts';
import { exitCode } from '../process/exit-code.ts';
import { FatalError } from '../process/failure.ts';
import { onStopSignals } from '../process/signals.ts';
import { json, lines, widthOf } from '../text/output.ts';
import type { OutputFlags } from '../text/output-option.ts';
import { type Account, accountOf, checkAccount, userNameOf } from './account.ts';
import { checkApiServer } from './api-server.ts';
import { checkBarePods } from './bare-pods.ts';
import { checkFencers } from './fencers.ts';
import { checkFencingToken } from './fencing-token.ts';
import { checkExitCode, type Finding, failure, lookingAt, type Section } from './finding.ts';
import { checkRecords } from './records.ts';
import { checkReplicas } from './replicas.ts';
import { reportText } from './report.ts';
import { checkStatefulSets } from './stateful-sets.ts';

export interface CheckFlags extends PlaceFlags, OutputFlags {
  readonly config?: string;
  readonly serviceAccount?: Account;
}

/** What the chart calls the agent's account unless it is told otherwise. */
const defaultAccountName = 'high-availability';

const purpose = 'liberator check';

const serviceAccounts: Resource = {
  group: '',
  version: 'v1',
  plural: 'serviceaccounts',
  kind: 'ServiceAccount',
  namespaced: true,
};

/** Sets the exit code of the process to the verdict. */
export async function runCheck(flags: CheckFlags): Promise<void> {
  const config = flags.config === undefined ? undefined : readConfig(flags.config).config;
  const place = placeOf(flags, config === undefined ? {} : configuredPlace(config));
  const kubeConfig = loadCallersKubeConfig(flags);
  const interruption = Promise.withResolvers<never>();
  interruption.promise.catch(() => {});
  // Whom fencers have started ends with us: an agent's program has a process group of its own, which a terminal does not reach.
  using stop = onStopSignals((signal) => {
    const code = 'LIBERATOR_INTERRUPTED';
    interruption.reject(new FatalError('interrupted', { code, exitCode: exitCode.signalled[signal] }));
  });
  const transport = explained(() => createTransport(kubeConfig, { purpose }));
  try {
    const looking = check(transport, place, config, { ...flags, signal: stop.signal });
    const sections = await Promise.race([looking, interruption.promise]);
    const server = kubeConfig.getCurrentCluster()?.server ?? '';
    const head = { cluster: server, context: kubeConfig.getCurrentContext(), ...place };
    process.exitCode = checkExitCode(sections);
    if (flags.output === 'json') {
      process.stdout.write(json({ version: 1, ...head, exitCode: process.exitCode, sections }, 2));
      return;
    }
    const title = `Liberator in namespace ${place.namespace} of ${server}`;
    process.stdout.write(lines([title, '', ...reportText(sections, widthOf(process.stdout))]));
  } finally {
    await transport.close();
  }
}

function configuredPlace({ namespace, election }: Config): Place {
  return { namespace, election: { namespace, name: election.name } };
}

async function check(
  transport: Transport,
  place: Place,
  config: Config | undefined,
  { signal, ...flags }: CheckFlags & { readonly signal: AbortSignal },
): Promise<readonly Section[]> {
  const api = await checkApiServer(transport);
  const apiServer = { title: 'API server', findings: [api] };
  if (api.mark === 'failure') return [apiServer];
  const reader = createReader({ transport });
  const self = accountOf(await whoAmI({ transport }));
  const isAgents = self?.namespace === place.namespace;
  const usual = { namespace: place.namespace, name: defaultAccountName };
  const account = flags.serviceAccount ?? (isAgents ? self : usual);
  return [
    apiServer,
    ...(await accountSections(transport, reader, { account, self, place, flags })),
    { title: 'Replicas', findings: await checkReplicas(reader, account) },
    { title: 'Fencing token', findings: await checkFencingToken(reader, account, place) },
    { title: 'Fencers', findings: await checkFencers(reader, place, config, signal) },
    { title: 'Takeover records', findings: await checkRecords(reader, place.namespace) },
    { title: 'StatefulSets', findings: await checkStatefulSets(reader) },
    { title: 'Pods that nobody makes anew', findings: await checkBarePods(reader) },
  ];
}

async function accountSections(
  own: Transport,
  reader: KubernetesReader,
  about: { account: Account; self: Account | undefined; place: Place; flags: CheckFlags },
): Promise<readonly Section[]> {
  const { account, self, place, flags } = about;
  if (self?.namespace === account.namespace && self.name === account.name) {
    return checkAccount(own, account, place);
  }
  const missing = await lookingAt(`account ${account.name}`, () => checkExistence(reader, account));
  if (missing.some(({ mark }) => mark === 'failure')) return [{ title: 'Account', findings: missing }];
  const transport = createTransport(loadCallersKubeConfig(flags, userNameOf(account)), {
    purpose,
  });
  try {
    return await checkAccount(transport, account, place);
  } finally {
    await transport.close();
  }
}

async function checkExistence(reader: KubernetesReader, account: Account): Promise<readonly Finding[]> {
  try {
    await reader.get(serviceAccounts, account);
    return [];
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const advice =
      'it is not there: install Liberator, or say with --service-account NAMESPACE/NAME which it is';
    return [failure(`${account.namespace}/${account.name}`, advice)];
  }
}
