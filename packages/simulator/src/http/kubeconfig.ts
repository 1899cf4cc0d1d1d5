// The file by which kubectl and every client library find the embedded API server.

/**
 * The text of a kubeconfig file for a server at `url`. It is JSON, which is YAML as well.
 *
 * @param token - Sent as a bearer token; without one the client is anonymous.
 */
export function kubeconfigFor(url: string, token?: string): string {
  const name = 'liberator-simulator';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    // Without TLS there is nothing to skip, but client-node refuses a plain http server that doesn't say so.
    clusters: [{ name, cluster: { server: url, 'insecure-skip-tls-verify': true } }],
    users: [{ name, user: token === undefined ? {} : { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
