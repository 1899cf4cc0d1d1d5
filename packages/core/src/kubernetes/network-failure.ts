// Turns what Node.js, TLS and undici throw into one sentence that a person can act on.
import { brokenConnections, codeOf } from './connection-codes.ts';
import { CredentialError } from './credential-error.ts';
import { TransportError } from './transport.ts';

const sentences: Readonly<Record<string, string>> = {
  ...brokenConnections,
  UND_ERR_CLOSED: 'this client was closed',
  UND_ERR_DESTROYED: 'this client was closed',
  HPE_INVALID_CONSTANT: 'it does not speak HTTP (is it https?)',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'its certificate is signed by itself; check the certificate authority in the kubeconfig',
  SELF_SIGNED_CERT_IN_CHAIN:
    'its certificate is signed by an authority that the kubeconfig does not name; check certificate-authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate is signed by an authority that the kubeconfig does not name; check certificate-authority',
  UNABLE_TO_GET_ISSUER_CERT:
    'its certificate is signed by an authority that the kubeconfig does not name; check certificate-authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    'its certificate is signed by an authority that the kubeconfig does not name; check certificate-authority',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'its certificate is for another name; check the server address or tls-server-name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS (is it http?)',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'it asks for a client certificate',
};

/**
 * @param peer the server, as the message names it
 * @param started whether the request's first byte may have left
 */
export function explainNetworkFailure(peer: string, error: unknown, started: boolean): TransportError {
  const code = codeOf(error);
  const why = (code === undefined ? undefined : sentences[code]) ?? messageOf(error);
  const message = started
    ? `the connection to ${peer} broke before the whole answer was there: ${why}`
    : `could not reach ${peer}: ${why}`;
  return new TransportError(message, { cause: error, sent: started });
}

/**
 * What we say ourselves is whole; of anything else the first line. A SyntaxError quotes what it could not parse, and here
 * that is a credential: it is neither quoted nor kept as cause.
 */
export function explainCredentialFailure(peer: string, error: unknown): TransportError {
  if (error instanceof CredentialError) {
    return new TransportError(`could not get credentials for ${peer}: ${error.message}`, {
      cause: error,
      sent: false,
    });
  }
  if (error instanceof SyntaxError) {
    return new TransportError(`could not get credentials for ${peer}: the answer made no sense`, {
      sent: false,
    });
  }
  return new TransportError(`could not get credentials for ${peer}: ${messageOf(error)}`, {
    cause: error,
    sent: false,
  });
}

function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] || 'for no stated reason';
}
