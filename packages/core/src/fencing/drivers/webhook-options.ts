// What the operator says of a webhook that fences, checked before anything depends on it.
import { addressFault, hostPatternFault, kubeletSays } from '../device-address.ts';
import type { FenceTarget } from '../fence-target.ts';
import type { FenceDevice } from '../fencer.ts';
import { type AcceptableProof, acceptableProofs } from '../proof.ts';
import { templateFault } from '../template.ts';

/** Options of {@link webhookFencer}. What is called a template is filled in for each machine: see {@link fillIn}. */
export interface WebhookOptions {
  /** As policies name the fencer. */
  readonly name: string;
  /**
   * Template of where requests are sent: `https://fence.example.com/liberator`. In its path nothing may stand that a node's kubelet may
   * set itself: it could have another machine fenced. What is known of the machine is in the request anyway.
   */
  readonly url: string;
  /**
   * Which hosts the URL may name: `fence.example.com`, `*.fence.example.com`, `10.7.0.0/16`, each with `:8443` behind it where another
   * port is meant. Required where the host is made from what a kubelet may set itself: see {@link kubeletSays}. Default: any host.
   */
  readonly hosts?: readonly string[];
  /**
   * Template of the path of a file that holds the secret by which requests and answers are signed, and nothing else; read anew at
   * each use. At least 16 characters; after `whsec_` the rest is read as base64.
   */
  readonly secret: string;
  /**
   * How it is known that an answer comes from the receiver. `signed`: by the same secret. `tls`: by its certificate alone, only with
   * `https`; for receivers that can't sign, since whatever answers under that name, such as a proxy's own page, is then kept apart by
   * no more than what it says. Default `signed`.
   */
  readonly answers?: 'signed' | 'tls';
  /**
   * Template of the path of a PEM file with the authorities that are trusted, and no others; read anew at each use. Only with `https`.
   * Default: the authorities that Node.js trusts.
   */
  readonly ca?: string;
  /**
   * The proofs that the receiver may give: what it can really tell. Any other counts as a failure. Default `powered-off` alone.
   */
  readonly proofs?: readonly AcceptableProof[];
  /** Whether it knows how to take a fence back: {@link Fencer.unfence} is there then. Default false. */
  readonly unfences?: boolean;
  /** Keys of labels of the node that are sent along. Default: none. */
  readonly labels?: readonly string[];
  /** Keys of annotations of the node that are sent along. Default: none. */
  readonly annotations?: readonly string[];
  /** How long one request may take, in milliseconds. Default 15,000. */
  readonly requestTimeoutMs?: number;
  /**
   * For how long one answer of the fencer asks how far a request has come that was taken (202), in milliseconds, before it says
   * `waiting`. Default 20,000. Longer sends fewer requests anew, and so asks for fewer permits.
   */
  readonly pollForMs?: number;
  /** See {@link Fencer.timeoutMs}. Default 60,000. */
  readonly timeoutMs?: number;
  /** See {@link Fencer.device}. Default: no device is shared. */
  readonly device?: (target: FenceTarget) => FenceDevice | undefined;
}

/** The template of a URL in two: host and port, which may be checked against a list, and what follows. */
export function partsOfUrl(url: string): { readonly address: string; readonly path: string } {
  const [, address = url, path = '/'] = /^(https?:\/\/[^/?#]*)([/?#].*)?$/.exec(url) ?? [];
  return { address, path: path.startsWith('/') ? path : `/${path}` };
}

/** What is wrong with the template of a webhook's URL, whichever machine it is for; undefined when nothing is. */
export function webhookUrlFault(url: string): string | undefined {
  const { address, path } = partsOfUrl(url);
  const fault = addressFault(address) ?? templateFault(path);
  if (fault !== undefined) return fault;
  const free = kubeletSays(path);
  if (free.length > 0) {
    return `a kubelet may set ${free.join(', ')} itself, and so have another machine fenced: it is in the request anyway`;
  }
  return /[#\\\s]/.test(path) ? 'its path is none' : undefined;
}

/** @throws TypeError for options that can never work, or that would let a node choose who gets signed requests. */
export function checkWebhookOptions(options: WebhookOptions): void {
  const { url, hosts, ca, answers } = options;
  const fault = webhookUrlFault(url);
  if (fault !== undefined)
    throw new TypeError(`expected url to be that of a webhook, found ${quoted(url)}: ${fault}`);
  const free = kubeletSays(partsOfUrl(url).address);
  if (free.length > 0 && (hosts ?? []).length === 0) {
    throw new TypeError(
      `expected hosts beside url, since a kubelet may set ${free.join(', ')} itself and so have requests sent anywhere; found none`,
    );
  }
  for (const pattern of hosts ?? []) {
    const wrong = hostPatternFault(pattern);
    if (wrong !== undefined)
      throw new TypeError(`expected hosts to be hosts, found ${quoted(pattern)}: ${wrong}`);
  }
  if (url.startsWith('http:') && (ca !== undefined || answers === 'tls')) {
    throw new TypeError(
      `expected a url with https beside ${ca === undefined ? '"answers: tls"' : 'ca'}, found http`,
    );
  }
  for (const key of ['secret', 'ca'] as const) {
    const found = options[key];
    const wrong = found === undefined ? undefined : templateFault(found);
    if (wrong !== undefined)
      throw new TypeError(`expected ${key} to be a template, found ${quoted(found)}: ${wrong}`);
  }
  const { proofs } = options;
  if (
    proofs !== undefined &&
    (proofs.length === 0 || proofs.some((proof) => !acceptableProofs.includes(proof)))
  ) {
    throw new TypeError(`expected proofs among ${acceptableProofs.join(', ')}, found ${quoted(proofs)}`);
  }
  for (const key of ['requestTimeoutMs', 'pollForMs', 'timeoutMs'] as const) {
    const found = options[key];
    if (found !== undefined && !(Number.isFinite(found) && found > 0)) {
      throw new TypeError(`expected ${key} to be more than 0 ms, found ${found}`);
    }
  }
}

function quoted(value: unknown): string {
  return JSON.stringify(value);
}
