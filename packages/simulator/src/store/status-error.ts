// Every way in which the API server says no, in the very words and codes of the real one: clients match on them.

/** The `details` of a {@link StatusBody}. Fields as in Kubernetes' API. */
export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  /** For most answers the plural (`nodes`), for validation failures the kind (`Node`): as the real server has it. */
  readonly kind?: string;
  readonly uid?: string;
  readonly retryAfterSeconds?: number;
  readonly causes?: readonly StatusCause[];
}

/** One thing that is wrong with a request. Fields as in Kubernetes' API. */
export interface StatusCause {
  readonly reason?: string;
  readonly message?: string;
  readonly field?: string;
}

/** A `meta.k8s.io/v1` Status as it travels on the wire. Fields as in Kubernetes' API. */
export interface StatusBody {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: { readonly continue?: string };
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  readonly code?: number;
}

/** What a {@link StatusError} needs to know about a kind of object. */
export interface NamedResource {
  readonly group: string;
  readonly plural: string;
  readonly kind: string;
}

/** Thrown wherever a real API server would answer with a failure; `status` is that answer. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly code = 'LIBERATOR_API_STATUS';
  /** What the server answers. */
  readonly status: StatusBody & { readonly code: number };

  constructor(
    code: number,
    reason: string | undefined,
    message: string,
    details?: StatusDetails,
    metadata: StatusBody['metadata'] = {},
  ) {
    super(message);
    this.status = {
      kind: 'Status',
      apiVersion: 'v1',
      metadata,
      status: 'Failure',
      message,
      ...(reason === undefined ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    };
  }
}

/** `statefulsets.apps`, or `nodes` for the core group. */
export function qualifiedResource(resource: { readonly group: string; readonly plural: string }): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

const groupDetail = (group: string): { group?: string } => (group === '' ? {} : { group });

const resourceDetails = (resource: NamedResource, name: string): StatusDetails => ({
  name,
  ...groupDetail(resource.group),
  kind: resource.plural,
});

export function notFound(resource: NamedResource, name: string): StatusError {
  const message = `${qualifiedResource(resource)} "${name}" not found`;
  return new StatusError(404, 'NotFound', message, resourceDetails(resource, name));
}

/** The answer to a path that nothing serves. */
export function unknownPath(): StatusError {
  return new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
}

export function alreadyExists(resource: NamedResource, name: string): StatusError {
  const message = `${qualifiedResource(resource)} "${name}" already exists`;
  return new StatusError(409, 'AlreadyExists', message, resourceDetails(resource, name));
}

export function conflict(resource: NamedResource, name: string, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${qualifiedResource(resource)} "${name}": ${why}`;
  return new StatusError(409, 'Conflict', message, resourceDetails(resource, name));
}

/** An update that named a resourceVersion which is no longer the current one. */
export function modifiedMeanwhile(resource: NamedResource, name: string): StatusError {
  return conflict(
    resource,
    name,
    'the object has been modified; please apply your changes to the latest version and try again',
  );
}

/** A replacement or a deletion whose uid is another object's; the real server's storage lets its own words show. */
export function uidMismatch(
  resource: NamedResource,
  namespace: string | undefined,
  name: string,
  uids: { asked: string; found: string },
): StatusError {
  const folder = registryFolders.get(resource.plural) ?? resource.plural;
  const key = ['/registry', folder, ...(namespace === undefined ? [] : [namespace]), name].join('/');
  return conflict(
    resource,
    name,
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ` +
      `UID in precondition: ${uids.asked}, UID in object meta: ${uids.found}`,
  );
}

/** Where etcd keeps the kinds that aren't kept under their own plural. */
const registryFolders: ReadonlyMap<string, string> = new Map([
  ['nodes', 'minions'],
  ['services', 'services/specs'],
]);

/** A failure that the real server has no reason for: it answers 500 with the bare message. */
export function serverFault(message: string): StatusError {
  return new StatusError(500, undefined, message);
}

/** The delete path names the kind where all others name the plural. */
export function deletePreconditionFailed(resource: NamedResource, name: string, why: string): StatusError {
  return conflict({ ...resource, plural: resource.kind }, name, why);
}

export function badRequest(message: string): StatusError {
  return new StatusError(400, 'BadRequest', message);
}

export function forbidden(
  resource: NamedResource,
  name: string,
  why: string,
  causes?: readonly StatusCause[],
): StatusError {
  const qualified = qualifiedResource(resource);
  const message =
    name === '' ? `${qualified} is forbidden: ${why}` : `${qualified} "${name}" is forbidden: ${why}`;
  return new StatusError(403, 'Forbidden', message, {
    ...(name === '' ? {} : { name }),
    ...groupDetail(resource.group),
    kind: resource.plural,
    ...(causes === undefined ? {} : { causes }),
  });
}

export function methodNotAllowed(): StatusError {
  return new StatusError(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    {},
  );
}

/** One field that failed validation. */
export interface FieldError {
  readonly reason:
    | 'FieldValueRequired'
    | 'FieldValueInvalid'
    | 'FieldValueForbidden'
    | 'FieldValueNotSupported'
    | 'FieldValueDuplicate'
    | 'FieldValueTooLong';
  readonly field: string;
  /** Without the field: `Required value: name or generateName is required`. */
  readonly message: string;
}

/** A field that must be there and isn't. */
export function required(field: string, why: string): FieldError {
  return {
    reason: 'FieldValueRequired',
    field,
    message: why === '' ? 'Required value' : `Required value: ${why}`,
  };
}

/** A field whose value breaks a rule. */
export function invalidValue(field: string, value: unknown, why: string): FieldError {
  return { reason: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(value)}: ${why}` };
}

/** A field that may not be set or changed here. */
export function forbiddenValue(field: string, why: string): FieldError {
  return { reason: 'FieldValueForbidden', field, message: `Forbidden: ${why}` };
}

/** A field whose value is none of the known ones. */
export function unsupportedValue(field: string, value: string, supported: readonly string[]): FieldError {
  const known = supported.map((one) => JSON.stringify(one));
  return {
    reason: 'FieldValueNotSupported',
    field,
    message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${known.join(', ')}`,
  };
}

/** A PUT without a resourceVersion where the kind demands one: the real server names the plural here. */
export function unconditionalUpdate(resource: NamedResource, name: string): StatusError {
  const unset = invalidValue('metadata.resourceVersion', 0, 'must be specified for an update');
  return invalid({ ...resource, kind: resource.plural }, name, [unset]);
}

/** 422 with one cause for each field. */
export function invalid(resource: NamedResource, name: string, errors: readonly FieldError[]): StatusError {
  const listed = [...new Set(errors.map((error) => `${error.field}: ${error.message}`))];
  const all = listed.length === 1 ? (listed[0] ?? '') : `[${listed.join(', ')}]`;
  const qualified = resource.group === '' ? resource.kind : `${resource.kind}.${resource.group}`;
  return new StatusError(422, 'Invalid', `${qualified} "${name}" is invalid: ${all}`, {
    ...(name === '' ? {} : { name }),
    ...groupDetail(resource.group),
    ...(resource.kind === '' ? {} : { kind: resource.kind }),
    causes: errors.map(({ reason, message, field }) => ({ reason, message, field })),
  });
}

/** 410 of a watch that asks for changes which are no longer kept. */
export function tooOldToWatch(asked: number, oldest: number): StatusError {
  return new StatusError(410, 'Expired', `too old resource version: ${asked} (${oldest})`);
}

/** Turns anything thrown into an answer: what isn't a {@link StatusError} is the server's own fault, hence 500. */
export function asStatusError(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  const message = `Internal error occurred: ${error instanceof Error ? error.message : String(error)}`;
  return new StatusError(500, 'InternalError', message, { causes: [{ message }] });
}
