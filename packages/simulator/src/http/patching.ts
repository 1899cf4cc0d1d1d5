// PATCH: picks the patch format by the media type, and gives failures the codes of the real server.
import { decodeProblem } from '../store/decoding.ts';
import type { Draft } from '../store/draft.ts';
import { apiVersionOf, type ServedResource } from '../store/resources.ts';
import { badRequest, StatusError } from '../store/status-error.ts';
import type { StoredObject } from '../store/store.ts';
import { copyOf, isObject } from '../store/wire-value.ts';
import { mediaTypeOf, parseFailure } from './body.ts';
import { applyJsonPatch, PatchError, type PatchOperation } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';
import type { ApiRequest } from './request.ts';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';

const jsonPatch = 'application/json-patch+json';
const mergePatch = 'application/merge-patch+json';
const strategicMergePatch = 'application/strategic-merge-patch+json';

/** The state that a patch asks for. @throws StatusError 400, 415, 422 */
export function patchedObject(request: ApiRequest, type: ServedResource, current: StoredObject): Draft {
  const mediaType = mediaTypeOf(request);
  if (![jsonPatch, mergePatch, strategicMergePatch].includes(mediaType)) {
    // Server-side apply is not served: it gets the answer that any unknown format gets.
    throw new StatusError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
  }
  // A patch shares what it leaves alone with the stored object, which nobody may write to.
  const patched = copyOf(apply(mediaType, readPatch(request.body ?? ''), current));
  if (!isObject(patched)) throw undecodable(patched, 'json: cannot unmarshal into Go value');
  const { apiVersion, kind } = patched;
  if (apiVersion !== apiVersionOf(type) || kind !== type.kind) {
    throw undecodable(
      patched,
      `no kind "${kind}" is registered for version "${apiVersion}" in scheme "pkg/api/legacyscheme/scheme.go:30"`,
    );
  }
  const draft = { ...patched, metadata: patched['metadata'] ?? {} } as unknown as Draft;
  const problem = decodeProblem(type, draft);
  if (problem !== undefined) throw undecodable(patched, problem);
  checkIdentity(draft, current);
  return draft;
}

/** A patch may not turn an object into another one. */
function checkIdentity({ metadata }: Draft, current: StoredObject): void {
  const { name, namespace } = current.metadata;
  if (!metadata.name) {
    throw badRequest(
      `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
    );
  }
  if (metadata.name !== name) {
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${name})`,
    );
  }
  if (metadata.namespace && metadata.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (namespace !== undefined) metadata.namespace = namespace;
}

function readPatch(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw badRequest(`error decoding patch: ${parseFailure(error)}`);
  }
}

function apply(mediaType: string, patch: unknown, current: StoredObject): unknown {
  if (mediaType === jsonPatch) {
    if (!isOperations(patch)) {
      throw badRequest(
        'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
      );
    }
    try {
      return applyJsonPatch(current, patch);
    } catch (error) {
      if (!(error instanceof PatchError)) throw error;
      // Which operation failed, the real server doesn't say.
      throw new StatusError(
        422,
        'Invalid',
        'the server rejected our request due to an error in our request',
        {},
      );
    }
  }
  if (!isObject(patch)) {
    const found = Array.isArray(patch) ? 'array' : typeof patch;
    throw badRequest(
      `error decoding patch: json: cannot unmarshal ${found} into Go value of type map[string]interface {}`,
    );
  }
  return mediaType === mergePatch
    ? applyMergePatch(current, patch)
    : applyStrategicMergePatch(current, patch);
}

function isOperations(patch: unknown): patch is readonly PatchOperation[] {
  return Array.isArray(patch) && patch.every(isObject);
}

function undecodable(patched: unknown, why: string): StatusError {
  const message = `Invalid value: ${JSON.stringify(JSON.stringify(patched))}: ${why}`;
  return new StatusError(422, 'Invalid', ` "" is invalid: patch: ${message}`, {
    causes: [{ reason: 'FieldValueInvalid', message, field: 'patch' }],
  });
}
