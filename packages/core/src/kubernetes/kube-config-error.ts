// What is thrown where a kubeconfig, or what it names, can't be used.

/** Thrown when there is no usable way to a cluster. The message says what was looked at and what to do. */
export class KubeConfigError extends Error {
  override readonly name = 'KubeConfigError';
  readonly code = 'LIBERATOR_KUBECONFIG';
}

/** Never the system's own words for a file that isn't there: they differ from system to system. */
export function explainFileError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'this process may not read it';
  if (code === 'EISDIR') return 'it is a folder';
  return firstLine(error);
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] ?? '';
}
