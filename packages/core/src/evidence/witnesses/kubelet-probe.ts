// Asks a host whether it is there, by its kubelet's port. A dead kubelet is not a dead node: what counts is who answers,
// the kubelet, the host's kernel, or nobody.
import { createSocket } from 'node:dgram';
import { connect, isIPv6, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import type { Node } from '../../kubernetes/objects.ts';
import type { Clock } from '../../time/clock.ts';
import type { ProbeResult } from '../fact.ts';
import type { ProbeDepth } from './host-asker.ts';

/** What a probe found, and why it says so. */
export interface ProbeAnswer {
  /**
   * - `answered`: something on the port answered a TLS handshake. The host is up, and so is its kubelet.
   * - `mute`: the connection was accepted, and nobody answered, or nobody was asked any more. The host's kernel is up; its
   *   kubelet hangs, or is stopped, or was left alone.
   * - `refused`: the host sent a reset, or no more than that after accepting. It is up without a kubelet, and its containers may still write. A firewall
   *   that resets for a host looks the same, and counts for life just so: that is the safe side.
   * - `silent`: nothing came back within the time, or the network says that the host is not there.
   * - `failed`: the reason lies on our side (no file descriptor left, no route, a stalled process) or the probe was
   *   ended. It says nothing about the host.
   */
  readonly result: ProbeResult;
  /** One sentence for people. */
  readonly because: string;
}

/** Options of {@link probeTcp}. */
export interface ProbeOptions {
  /** What the timeout is counted on. */
  readonly clock: Clock;
  /**
   * For the connection and the handshake together. Less than 3000 ms rests on one or two SYN packets, and packets do get
   * lost.
   */
  readonly timeoutMs: number;
  /** Ends the probe, with `failed`. */
  readonly signal?: AbortSignal | undefined;
  /** `host`: an accepted connection is `mute` at once, without a handshake. Default `kubelet`. */
  readonly until?: ProbeDepth['until'] | undefined;
}

/** The kubelet's port where a Node doesn't name another. */
const defaultKubeletPort = 10_250;
/** A timer this late means that this process did not run; what it missed meanwhile is not the host's fault. */
const stallMs = 1000;

/** The network says that the host, or all of where it is, can't be reached. */
const unreachable: ReadonlySet<string> = new Set(['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH']);

/**
 * One attempt to connect to `host:port` and to start TLS there. Never rejects.
 *
 * No data is exchanged and nothing said by the other side is believed, so its certificate is not verified: a kubelet's
 * is often signed by itself.
 *
 * Silence means something only where the same probe is answered while the host is well: a firewall that drops, or
 * rejects with an ICMP message, is as silent as a dead host.
 */
export async function probeTcp(host: string, port: number, options: ProbeOptions): Promise<ProbeAnswer> {
  const { clock, timeoutMs, signal } = options;
  if (signal?.aborted) return { result: 'failed', because: 'the probe was ended before it began' };
  const startedAt = clock.now();
  const attempt = new Attempt(host, port, options.until ?? 'kubelet');
  const onAbort = (): void => attempt.settle({ result: 'failed', because: 'the probe was ended' });
  signal?.addEventListener('abort', onAbort, { once: true });
  const timer = clock.setTimeout(() => {
    // Timers run before sockets: an answer that came while this process was busy must be heard first.
    setImmediate(() => attempt.timedOut(timeoutMs, clock.now() - startedAt));
  }, timeoutMs);
  try {
    return await attempt.answer;
  } finally {
    clock.clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    attempt.close();
  }
}

/** The best answer of all the node's internal addresses: one that lives is enough. */
export async function probeKubelet(node: Node, options: ProbeOptions): Promise<ProbeAnswer> {
  const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port || defaultKubeletPort;
  const hosts = (node.status?.addresses ?? [])
    .filter(({ type }) => type === 'InternalIP')
    .map(({ address }) => address);
  if (hosts.length === 0) return { result: 'failed', because: 'the node has no InternalIP to probe' };
  const answers = await Promise.all(hosts.map((host) => probeTcp(host, port, options)));
  const best = bestFirst
    .map((result) => answers.find((answer) => answer.result === result))
    .find((answer) => answer !== undefined);
  return best ?? { result: 'failed', because: 'no probe gave an answer' };
}

/** Signs of life first; then what says nothing, since a host counts as silent only if all its addresses are. */
const bestFirst: readonly ProbeResult[] = ['answered', 'mute', 'refused', 'failed', 'silent'];

/** Nobody is verified, so one serves for all; made anew it would read all authorities again for each probe. */
let sharedContext: SecureContext | undefined;

/** One connection attempt and what became of it; only the first answer counts. */
class Attempt {
  readonly answer: Promise<ProbeAnswer>;
  readonly #host: string;
  readonly #port: number;
  readonly #socket: Socket;
  #tls: Socket | undefined;
  #resolve: (answer: ProbeAnswer | Promise<ProbeAnswer>) => void = () => undefined;

  constructor(host: string, port: number, until: ProbeDepth['until']) {
    this.#host = host;
    this.#port = port;
    this.answer = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#socket = connect({ host, port, autoSelectFamily: false });
    this.#socket.once('connect', () => {
      if (until === 'kubelet') this.#startTls();
      else this.settle({ result: 'mute', because: 'accepted the connection; no more was asked' });
    });
    this.#socket.on('error', (error) => {
      this.settle(this.#tls === undefined ? this.#explainConnectError(error) : explainHandshakeError(error));
    });
  }

  settle(answer: ProbeAnswer | Promise<ProbeAnswer>): void {
    this.#resolve(answer);
  }

  timedOut(timeoutMs: number, tookMs: number): void {
    if (this.#tls !== undefined) {
      this.settle({
        result: 'mute',
        because: `accepted the connection, but said nothing within ${timeoutMs} ms`,
      });
    } else if (tookMs - timeoutMs > stallMs) {
      this.settle({
        result: 'failed',
        because: `this process stood still during the probe (${Math.round(tookMs)} ms)`,
      });
    } else {
      this.settle({ result: 'silent', because: `no answer within ${timeoutMs} ms` });
    }
  }

  close(): void {
    this.#tls?.destroy();
    this.#socket.destroy();
  }

  #startTls(): void {
    sharedContext ??= createSecureContext();
    const options = { socket: this.#socket, rejectUnauthorized: false, secureContext: sharedContext };
    this.#tls = connectTls(options, () =>
      this.settle({ result: 'answered', because: 'answered the TLS handshake' }),
    );
    this.#tls.on('error', (error) => this.settle(explainHandshakeError(error)));
    this.#tls.once('close', () =>
      this.settle({ result: 'mute', because: 'accepted the connection, then closed it without a word' }),
    );
  }

  #explainConnectError(error: Error): ProbeAnswer | Promise<ProbeAnswer> {
    const code = codeOf(error);
    if (code === 'ECONNREFUSED' || code === 'ECONNRESET') {
      return { result: 'refused', because: 'refused the connection' };
    }
    if (code === 'ETIMEDOUT') return { result: 'silent', because: 'no answer before the kernel gave up' };
    if (unreachable.has(code)) return blameRoute(this.#host, this.#port, code);
    return { result: 'failed', because: `could not even try (${code})` };
  }
}

/**
 * The same error code comes from our own routing table and from a router far away. Connecting a UDP socket asks only
 * the former and sends nothing.
 */
async function blameRoute(host: string, port: number, code: string): Promise<ProbeAnswer> {
  const ours = await new Promise<string | undefined>((resolve) => {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    const done = (code: string | undefined): void => {
      resolve(code);
      socket.close();
    };
    socket.once('error', (error) => done(codeOf(error)));
    socket.once('connect', () => done(undefined));
    socket.connect(port, host);
  });
  return ours === undefined
    ? { result: 'silent', because: `the network says that the host can't be reached (${code})` }
    : { result: 'failed', because: `this machine has no route to the host (${ours})` };
}

/** Bytes that are not TLS are an answer, too: a reset or an end without any is not. */
function explainHandshakeError(error: Error): ProbeAnswer {
  const code = codeOf(error);
  return code === 'EPROTO' || code.startsWith('ERR_SSL')
    ? { result: 'answered', because: `answered, though not with TLS that we speak (${code})` }
    : { result: 'mute', because: `accepted the connection, then broke it (${code})` };
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
