// Runs a kubeconfig's credential plugin (`exec`) as kubectl does: what it is told, what it may use, and what its answer
// has to be. One run serves everybody in this process who asks the same plugin the same.
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, sep } from 'node:path';
import { isatty } from 'node:tty';
import { load } from 'js-yaml';
import type { Clock, TimerHandle } from '../time/clock.ts';
import { CredentialError } from './credential-error.ts';
import type { KubeconfigCluster, PluginSpec } from './kubeconfig-file.ts';

/** What a plugin gave: a token, a client certificate with its key, or both. */
export interface PluginCredentials {
  readonly token?: string;
  readonly cert?: string;
  readonly key?: string;
  /** On the clock's own time. Infinity: they are good until a server refuses them. */
  readonly goodUntil: number;
}

/** How to run it. */
export interface PluginContext {
  readonly spec: PluginSpec;
  /** How messages name whose it is: `user "u" of the kubeconfig FILE`. */
  readonly whose: string;
  /** As the plugin is told about it, where it asks for that. */
  readonly cluster: KubeconfigCluster;
  /** The cluster's certificate authority, base64 of PEM. */
  readonly caData: string | undefined;
  readonly attended: boolean;
  readonly clock: Clock;
}

/** Without a person there is nothing worth waiting longer for. */
const unattendedLimitMs = 30_000;
/** More than any credential; a plugin that prints for ever must not fill the memory. */
const longestAnswerBytes = 4 * 2 ** 20;

interface Entry {
  current?: PluginCredentials;
  underway?: Promise<PluginCredentials>;
}

/** By clock, so that time in tests is a world of its own. */
const entries = new WeakMap<Clock, Map<string, Entry>>();

/**
 * The credentials that the plugin gave last while they are good, or those of a new run.
 *
 * @param refused - What a server has just refused: not to be given again.
 * @throws {@link CredentialError} that names the plugin and repeats nothing of what it printed
 */
export function pluginCredentials(
  context: PluginContext,
  refused?: PluginCredentials,
): Promise<PluginCredentials> {
  const entry = entryOf(context);
  const { current } = entry;
  if (current !== undefined && current !== refused && context.clock.now() < current.goodUntil) {
    return Promise.resolve(current);
  }
  entry.underway ??= run(context)
    .then((credentials) => {
      entry.current = credentials;
      return credentials;
    })
    .finally(() => {
      delete entry.underway;
    });
  return entry.underway;
}

function entryOf({ clock, spec, cluster, caData, attended }: PluginContext): Entry {
  const key = JSON.stringify([spec, spec.provideClusterInfo ? [cluster, caData] : undefined, attended]);
  const ofClock = entries.get(clock) ?? new Map<string, Entry>();
  entries.set(clock, ofClock);
  const entry = ofClock.get(key) ?? {};
  ofClock.set(key, entry);
  return entry;
}

async function run(context: PluginContext): Promise<PluginCredentials> {
  const { spec, whose } = context;
  const plugin = `the credential plugin "${spec.command ?? ''}" of ${whose}`;
  const interactive = isInteractive(context, plugin);
  const command = find(spec.command ?? '');
  if (command === undefined) throw notFound(plugin, spec.installHint);
  const env = {
    ...process.env,
    ...Object.fromEntries((spec.env ?? []).map(({ name, value }) => [name, value])),
    KUBERNETES_EXEC_INFO: JSON.stringify(execInfo(context, interactive)),
  };
  const child = spawn(command, spec.args ?? [], {
    env,
    stdio: [interactive ? 'inherit' : 'ignore', 'pipe', context.attended ? 'inherit' : 'pipe'],
  });
  return credentialsIn(await outputOf(child, context, plugin), context, plugin);
}

function isInteractive({ spec, attended }: PluginContext, plugin: string): boolean {
  const mode = spec.interactiveMode || 'IfAvailable';
  const available = attended && isatty(0);
  if (mode === 'Always' && !available) {
    const why = attended ? 'standard input is not a terminal' : 'nobody is there to answer it';
    throw new CredentialError(`${plugin} needs a terminal (interactiveMode: Always), but ${why}`);
  }
  return mode !== 'Never' && available;
}

/**
 * Looked for in the PATH of this process, never in one that the kubeconfig sets for the plugin, and never in the folder
 * that happens to be the current one.
 */
function find(command: string): string | undefined {
  if (process.platform === 'win32') return command;
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(isAbsolute);
  const candidates = command.includes(sep) ? [command] : folders.map((folder) => join(folder, command));
  return candidates.find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The hint is whoever wrote the kubeconfig's own, and may span lines; what steers a terminal stays out of it. */
function notFound(plugin: string, hint: string | undefined): CredentialError {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are meant.
  const readable = hint?.replaceAll(/[\u0000-\u0008\u000e-\u001f\u007f-\u009f]/g, '').trim();
  return new CredentialError(
    `${plugin} was not found, or is no program${readable ? `. ${readable}` : '; install it, or put its folder into PATH'}`,
  );
}

function execInfo({ spec, cluster, caData }: PluginContext, interactive: boolean): object {
  const about = {
    server: cluster.server,
    ...(cluster.tlsServerName && { 'tls-server-name': cluster.tlsServerName }),
    ...(cluster.skipTLSVerify && { 'insecure-skip-tls-verify': true }),
    ...(caData && { 'certificate-authority-data': caData }),
    ...(cluster.proxyUrl && { 'proxy-url': cluster.proxyUrl }),
    ...(cluster.disableCompression && { 'disable-compression': true }),
    config: cluster.pluginConfig ?? null,
  };
  return {
    kind: 'ExecCredential',
    apiVersion: spec.apiVersion,
    spec: { ...(spec.provideClusterInfo && { cluster: about }), interactive },
  };
}

function outputOf(child: ChildProcess, context: PluginContext, plugin: string): Promise<string> {
  const { clock, attended } = context;
  const printed: Buffer[] = [];
  let bytes = 0;
  let complaint = '';
  let limit: TimerHandle | undefined;
  return new Promise<string>((resolve, reject) => {
    const giveUp = (why: string): void => {
      child.kill('SIGKILL');
      reject(new CredentialError(`${plugin} ${why}`));
    };
    if (!attended) {
      limit = clock.setTimeout(
        () => giveUp(`gave no answer within ${unattendedLimitMs / 1000} s`),
        unattendedLimitMs,
      );
    }
    child.stdout?.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes > longestAnswerBytes) giveUp('printed more than a credential can be');
      else printed.push(chunk);
    });
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      complaint = (complaint + chunk).slice(0, 1000);
    });
    child.on('error', (error) => {
      const code = 'code' in error ? String(error.code) : error.name;
      reject(new CredentialError(`${plugin} could not be started (${code})`));
    });
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(printed).toString('utf8'));
      const how = code === null ? `was ended by ${signal}` : `failed with exit code ${code}`;
      const said = complaint
        .split('\n')
        .find((line) => line.trim() !== '')
        ?.trim();
      reject(new CredentialError(`${plugin} ${how}${said === undefined ? '' : `: ${said.slice(0, 200)}`}`));
    });
  }).finally(() => clock.clearTimeout(limit));
}

interface Answer {
  readonly apiVersion?: unknown;
  readonly kind?: unknown;
  readonly status?: {
    readonly token?: unknown;
    readonly clientCertificateData?: unknown;
    readonly clientKeyData?: unknown;
    readonly expirationTimestamp?: unknown;
  } | null;
}

/** What was printed is a credential, so nothing of it is repeated, and no parser's error is kept: it would quote it. */
function credentialsIn(text: string, { spec, clock }: PluginContext, plugin: string): PluginCredentials {
  const refuse = (why: string): CredentialError => new CredentialError(`${plugin} ${why}`);
  const answer = parse(text);
  if (answer === undefined || answer.kind !== 'ExecCredential')
    throw refuse('did not print an ExecCredential');
  if (answer.apiVersion !== spec.apiVersion) {
    throw refuse(`printed an ExecCredential of another version than ${spec.apiVersion}`);
  }
  const { status } = answer;
  if (typeof status !== 'object' || status === null)
    throw refuse('printed an ExecCredential without a status');
  const fields = {
    token: status.token || undefined,
    cert: status.clientCertificateData || undefined,
    key: status.clientKeyData || undefined,
  };
  const { token, cert, key } = fields;
  if (!isTextOrMissing(token) || !isTextOrMissing(cert) || !isTextOrMissing(key)) {
    throw refuse('printed an ExecCredential whose status is malformed');
  }
  if ((cert === undefined) !== (key === undefined)) throw refuse('gave only one of certificate and key');
  if (token === undefined && cert === undefined)
    throw refuse('gave neither a token nor a certificate and its key');
  return {
    ...(token !== undefined && { token }),
    ...(cert !== undefined && key !== undefined && { cert, key }),
    goodUntil: goodUntil(status.expirationTimestamp, clock, refuse),
  };
}

function isTextOrMissing(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

/** The only moment at which its clock and ours are compared: from here on it is a span of our own. */
function goodUntil(timestamp: unknown, clock: Clock, refuse: (why: string) => CredentialError): number {
  if (timestamp === undefined || timestamp === null) return Number.POSITIVE_INFINITY;
  const expiresAt = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
  if (Number.isNaN(expiresAt)) throw refuse('gave an expirationTimestamp that is none');
  return clock.now() + (expiresAt - clock.wallTime());
}

/** Kubernetes reads YAML wherever it reads JSON. */
function parse(text: string): Answer | undefined {
  for (const read of [JSON.parse, (yaml: string) => load(yaml)]) {
    try {
      const value: unknown = read(text);
      if (typeof value === 'object' && value !== null) return value;
    } catch {
      // Said in the caller's words.
    }
  }
  return undefined;
}
