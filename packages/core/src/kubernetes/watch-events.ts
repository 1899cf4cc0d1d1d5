// Decodes the lines of a watch. A line that can't be understood fails the watch: skipping it would be losing an event.
import { type CallDescription, KubernetesError, MalformedAnswerError } from './errors.ts';
import type { Status } from './objects.ts';
import type { WatchEvent } from './reader.ts';

/**
 * @throws {@link KubernetesError} for an ERROR event
 * @throws {@link MalformedAnswerError} for anything that is not an event
 */
export function decodeWatchEvent<T>(call: CallDescription, line: string): WatchEvent<T> {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    // No cause: a SyntaxError quotes the line, and Secrets travel in such lines.
    throw new MalformedAnswerError(call, `a watch event of ${line.length} characters is not JSON`);
  }
  const { type, object } = isRecord(event) ? event : {};
  if (!isRecord(object)) throw new MalformedAnswerError(call, 'a watch event carries no object');
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object: object as T };
    case 'BOOKMARK': {
      const metadata = object['metadata'];
      const resourceVersion = isRecord(metadata) ? metadata['resourceVersion'] : undefined;
      if (typeof resourceVersion !== 'string') {
        throw new MalformedAnswerError(call, 'a bookmark carries no resourceVersion');
      }
      return { type, resourceVersion };
    }
    case 'ERROR': {
      const status = object as Partial<Status>;
      throw new KubernetesError(call, { status: status.code ?? statusOf(status.reason), body: status });
    }
    default:
      throw new MalformedAnswerError(
        call,
        `expected a watch event of type ADDED, MODIFIED, DELETED, BOOKMARK or ERROR; found ${JSON.stringify(type)}`,
      );
  }
}

/** An ERROR event may lack its code; the reason then says the same. */
function statusOf(reason: string | undefined): number {
  return reason === 'Expired' || reason === 'Gone' ? 410 : 500;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
