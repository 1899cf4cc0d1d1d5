// Reading what a client sent: the body must be JSON of the right kind, for the object that the URL names.
import { apiVersionOf, servedResources } from '../store/resources.ts';
import { badRequest, StatusError } from '../store/status-error.ts';
import type { DeleteOptions, ResourceType } from '../store/store.ts';
import { isObject, type JsonObject } from '../store/wire-value.ts';
import { numberOf } from './pages.ts';
import type { ApiRequest } from './request.ts';

/** What POST and PUT may be written in. */
const objectMediaTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

/** @throws StatusError 415 with the types that the real server names. */
export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
  return new StatusError(415, 'UnsupportedMediaType', message);
}

/** The kind that a body must be of. */
type ObjectType = Pick<ResourceType, 'group' | 'version' | 'kind'>;

/** The media type of a request, without its parameters. */
export function mediaTypeOf({ contentType }: ApiRequest): string {
  return (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** The object in the body of a POST or PUT. @throws StatusError 400, 415 */
export function readObject(request: ApiRequest, type: ObjectType, kind: string = type.kind): JsonObject {
  const mediaType = mediaTypeOf(request);
  if (mediaType !== '' && mediaType !== 'application/json') throw unsupportedMediaType(objectMediaTypes);
  const unrecognized = (why: string): StatusError =>
    badRequest(
      `the object provided is unrecognized (must be of type ${kind}): ${why} (${summary(request.body ?? '')})`,
    );
  let object: unknown;
  try {
    object = JSON.parse(request.body ?? '');
  } catch (error) {
    throw unrecognized(`couldn't get version/kind; json parse error: ${(error as Error).message}`);
  }
  if (!isObject(object)) {
    throw unrecognized(
      "couldn't get version/kind; json parse error: json: cannot unmarshal into Go value of type struct",
    );
  }
  checkKind(object, type, kind);
  if (object['metadata'] === undefined || object['metadata'] === null) object['metadata'] = {};
  if (!isObject(object['metadata'])) {
    throw badRequest(
      `${kind} in version "${type.version}" cannot be handled as a ${kind}: json: cannot unmarshal ` +
        `${Array.isArray(object['metadata']) ? 'array' : typeof object['metadata']} into Go struct field ${kind}.metadata of type v1.ObjectMeta`,
    );
  }
  return object;
}

/** The first bytes in hexadecimal, as the real server quotes what it couldn't read. */
function summary(body: string): string {
  const bytes = Buffer.from(body);
  if (bytes.length === 0) return 'empty';
  const shown = bytes.subarray(0, 30).toString('hex');
  return `hex: ${shown}${bytes.length > 30 ? ' ...' : ''}`;
}

function checkKind(object: JsonObject, type: ObjectType, kind: string): void {
  const expected = kind === type.kind ? apiVersionOf(type) : undefined;
  const apiVersion = object['apiVersion'] ?? expected;
  const found = object['kind'] ?? kind;
  if (found === kind && (expected === undefined || apiVersion === expected)) return;
  if (found === kind) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
    );
  }
  const known = servedResources.find((one) => one.kind === found && apiVersionOf(one) === apiVersion);
  const version = String(apiVersion).split('/').at(-1);
  const why =
    known === undefined
      ? `no kind ${JSON.stringify(found)} is registered for version ${JSON.stringify(apiVersion)} in scheme ` +
        '"pkg/api/legacyscheme/scheme.go:30"'
      : `converting (${known.kind}) to (${kind}): unknown conversion`;
  throw badRequest(`${found} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`);
}

/** Whether nothing may be written. @throws StatusError 422 */
export function isDryRun(query: URLSearchParams, options?: JsonObject): boolean {
  const asked = [...query.getAll('dryRun'), ...(Array.isArray(options?.['dryRun']) ? options['dryRun'] : [])];
  const wrong = asked.find((one) => one !== 'All');
  if (wrong !== undefined) {
    const message = `Unsupported value: ${JSON.stringify(wrong)}: supported values: "All"`;
    throw new StatusError(422, 'Invalid', ` "" is invalid: dryRun: ${message}`, {
      causes: [{ reason: 'FieldValueNotSupported', message, field: 'dryRun' }],
    });
  }
  return asked.length > 0;
}

/** The options of a DELETE, from its body or else from its query. @throws StatusError 400 */
export function readDeleteOptions(
  request: ApiRequest,
  query: URLSearchParams,
): DeleteOptions & { dryRun: boolean } {
  let body: JsonObject = {};
  if (request.body !== undefined && request.body !== '') {
    let parsed: unknown;
    try {
      parsed = JSON.parse(request.body);
    } catch (error) {
      throw badRequest(`couldn't get version/kind; json parse error: ${(error as Error).message}`);
    }
    if (!isObject(parsed)) throw badRequest('decoded object cannot be converted to DeleteOptions');
    body = parsed;
  }
  const grace = body['gracePeriodSeconds'] ?? numberOf(query, 'gracePeriodSeconds');
  const policy =
    body['propagationPolicy'] ?? query.get('propagationPolicy') ?? orphaning(body['orphanDependents']);
  return {
    dryRun: isDryRun(query, body),
    ...(typeof grace === 'number' ? { gracePeriodSeconds: grace } : {}),
    ...(isPolicy(policy) ? { propagationPolicy: policy } : {}),
    ...preconditionsOf(body['preconditions']),
  };
}

function orphaning(orphanDependents: unknown): unknown {
  if (orphanDependents === true) return 'Orphan';
  return orphanDependents === false ? 'Background' : undefined;
}

function isPolicy(policy: unknown): policy is NonNullable<DeleteOptions['propagationPolicy']> {
  if (policy === undefined || policy === null) return false;
  if (policy === 'Background' || policy === 'Foreground' || policy === 'Orphan') return true;
  const message = `Unsupported value: ${JSON.stringify(policy)}: supported values: "Background", "Foreground", "Orphan"`;
  throw new StatusError(
    422,
    'Invalid',
    `DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: ${message}`,
    {
      group: 'meta.k8s.io',
      kind: 'DeleteOptions',
      causes: [{ reason: 'FieldValueNotSupported', message, field: 'propagationPolicy' }],
    },
  );
}

function preconditionsOf(value: unknown): Pick<DeleteOptions, 'preconditions'> {
  if (!isObject(value)) return {};
  const { uid, resourceVersion } = value;
  return {
    preconditions: {
      ...(typeof uid === 'string' ? { uid } : {}),
      ...(typeof resourceVersion === 'string' ? { resourceVersion } : {}),
    },
  };
}
