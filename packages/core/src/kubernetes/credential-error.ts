// What is thrown where a kubeconfig is fine, but what it names gives no credentials.

/** The message names the plugin, the file or the key, is for people as it is, and holds no secret. */
export class CredentialError extends Error {
  override readonly name = 'CredentialError';
}
