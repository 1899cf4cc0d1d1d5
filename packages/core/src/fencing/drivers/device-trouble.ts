// Why a device, or whoever stands for it, could not be asked, or its answer not be used: one stable sentence, and what it means for the next try.

import { brokenConnections, codeOf } from '../../kubernetes/connection-codes.ts';

/** What the trouble is with: the `device` and the way to it, our `access`, or which `machine` is meant. */
export type TroubleKind = 'device' | 'access' | 'machine';

/** Never leaves the driver: it becomes an answer. */
export class Trouble extends Error {
  override readonly name = 'Trouble';
  readonly kind: TroubleKind;
  /** Asking again would come to the same. */
  readonly permanent: boolean;
  /** The device wants to be left alone for so long. */
  readonly retryAfterMs: number | undefined;
  /** The HTTP status that it is about, if any. */
  readonly status: number | undefined;

  constructor(
    message: string,
    more: {
      readonly kind?: TroubleKind;
      readonly permanent?: boolean;
      readonly retryAfterMs?: number | undefined;
      readonly status?: number;
    } = {},
  ) {
    super(message);
    this.kind = more.kind ?? 'device';
    this.permanent = more.permanent ?? false;
    this.retryAfterMs = more.retryAfterMs;
    this.status = more.status;
  }
}

/** Nobody knows for sure which machine it would be. */
export function doubt(message: string): Trouble {
  return new Trouble(message, { kind: 'machine', permanent: true });
}

const unknownAuthority = 'its certificate is signed by an authority that is not trusted; check the CA file';

/** What stays as it is until somebody changes something. */
const lasting: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself; trust it by a CA file',
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  CERT_SIGNATURE_FAILURE: unknownAuthority,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS (is it http?)',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS (is it http?)',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it speaks no version of TLS that is safe',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'it speaks no version of TLS that is safe',
  EPROTO: 'it does not speak TLS as it should',
};

/** One sentence for what Node.js, TLS and undici throw: the code counts, since messages hold ports and addresses that change. */
export function networkTrouble(error: unknown): Trouble {
  const code = codeOf(error) ?? '';
  const permanent = Object.hasOwn(lasting, code);
  const words = (permanent ? lasting : brokenConnections)[code];
  if (words !== undefined) return new Trouble(words, { permanent });
  return new Trouble(
    code.startsWith('HPE_')
      ? 'it does not speak HTTP (is it https?)'
      : `no connection (${code || 'no reason given'})`,
  );
}
