// Reading what a client sent: the body must be JSON of the right kind, for the object that the URL names.
import { apiVersionOf, servedResources } from '../store/resources.ts';
import { badRequest, type FieldError, invalid, StatusError } from '../store/status-error.ts';
import type { DeleteOptions, ResourceType } from '../store/store.ts';
import { isObject, type JsonObject } from '../store/wire-value.ts';
import { numberIn } from './list-options.ts';
import type { ApiRequest } from './request.ts';

/** What POST and PUT may be written in. */
const objectMediaTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

/** @throws StatusError 415 with the types that the real server names. */
function unsupportedMediaType(accepted: readonly string[]): StatusError {
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
    throw unrecognized(`couldn't get version/kind; json parse error: ${parseFailure(error)}`);
  }
  if (!isObject(object)) {
    throw unrecognized(`couldn't get version/kind; json parse error: ${notAnObject(object)}`);
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

/** What the real server's parser says of JSON that isn't an object. */
function notAnObject(value: unknown): string {
  const found = Array.isArray(value) ? 'array' : typeof value;
  const struct = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;
  return `json: cannot unmarshal ${found} into Go value of type ${struct}`;
}

/** The beginning, as the real server quotes what it couldn't read. */
function summary(body: string): string {
  if (body === '') return '<empty>';
  if (body.startsWith('{')) return body.length > 30 ? `${body.slice(0, 30)} ...` : body;
  const bytes = Buffer.from(body);
  return `${bytes.subarray(0, 30).toString('hex')}${bytes.length > 30 ? ' ...' : ''}`;
}

function checkKind(object: JsonObject, type: ObjectType, kind: string): void {
  // A binding or an eviction has a group of its own, and tools disagree on which.
  const expected = kind === type.kind ? apiVersionOf(type) : undefined;
  const apiVersion = String(object['apiVersion'] ?? expected ?? '');
  const found = String(object['kind'] ?? kind);
  if (found === kind && (expected === undefined || apiVersion === expected)) return;
  const known = servedResources.find((one) => one.kind === found && apiVersionOf(one) === apiVersion);
  const version = apiVersion.split('/').at(-1) ?? '';
  const why =
    known === undefined
      ? `no kind "${found}" is registered for version "${apiVersion}" in scheme "pkg/runtime/scheme.go:111"`
      : `converting (${version}.${found}) to (${packageOf(type.group)}.${kind}): unknown conversion`;
  throw badRequest(`${found} in version "${version}" cannot be handled as a ${kind}: ${why}`);
}

/** The Go package of a group's types: `core`, `coordination`. */
const packageOf = (group: string): string => (group === '' ? 'core' : (group.split('.')[0] ?? ''));

/** What a parser of the real server says; beyond the commonest failure the words are this runtime's. */
export function parseFailure(error: unknown): string {
  const { message } = error as Error;
  return /end of JSON|Unterminated|after property|Expected property name or '}' in JSON at position \d+ \(.*\)$/.test(
    message,
  )
    ? 'unexpected end of JSON input'
    : message;
}

/** Whether nothing may be written. @throws StatusError 422 */
export function isDryRun(optionsKind: string, asked: unknown): boolean {
  if (!Array.isArray(asked) || asked.length === 0) return false;
  if (asked.every((one) => one === 'All')) return true;
  const message = `Unsupported value: ${JSON.stringify(asked)}: supported values: "All"`;
  throw invalidOptions(optionsKind, { reason: 'FieldValueNotSupported', message, field: 'dryRun' });
}

function invalidOptions(kind: string, cause: FieldError): StatusError {
  return invalid({ group: 'meta.k8s.io', plural: kind, kind }, '', [cause]);
}

/** The options of a DELETE: from its body, or, only when there is none, from its query. @throws StatusError 400, 422 */
export function readDeleteOptions(
  request: ApiRequest,
  query: URLSearchParams,
): DeleteOptions & { dryRun: boolean } {
  const body = request.body ? readOptions(request.body) : optionsIn(query);
  const grace = body['gracePeriodSeconds'];
  if (body['propagationPolicy'] && typeof body['orphanDependents'] === 'boolean') {
    const message = `Invalid value: ${JSON.stringify(body['propagationPolicy'])}: orphanDependents and deletionPropagation cannot be both set`;
    throw invalidOptions('DeleteOptions', {
      reason: 'FieldValueInvalid',
      message,
      field: 'propagationPolicy',
    });
  }
  const policy = body['propagationPolicy'] ?? orphaning(body['orphanDependents']);
  return {
    dryRun: isDryRun('DeleteOptions', body['dryRun']),
    ...(typeof grace === 'number' ? { gracePeriodSeconds: grace } : {}),
    ...(isPolicy(policy) ? { propagationPolicy: policy } : {}),
    ...preconditionsOf(body['preconditions']),
  };
}

function readOptions(text: string): JsonObject {
  const failed = (why: string): StatusError =>
    badRequest(`couldn't get version/kind; json parse error: ${why}`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw failed(parseFailure(error));
  }
  if (!isObject(parsed)) throw failed(notAnObject(parsed));
  return parsed;
}

function optionsIn(query: URLSearchParams): JsonObject {
  return {
    gracePeriodSeconds: numberIn(query, 'gracePeriodSeconds'),
    propagationPolicy: query.get('propagationPolicy') ?? undefined,
    dryRun: query.getAll('dryRun'),
  };
}

function orphaning(orphanDependents: unknown): unknown {
  if (orphanDependents === true) return 'Orphan';
  return orphanDependents === false ? 'Background' : undefined;
}

function isPolicy(policy: unknown): policy is NonNullable<DeleteOptions['propagationPolicy']> {
  if (policy === undefined || policy === null) return false;
  if (policy === 'Background' || policy === 'Foreground' || policy === 'Orphan') return true;
  const message = `Unsupported value: ${JSON.stringify(policy)}: supported values: "Foreground", "Background", "Orphan", "nil"`;
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
