// PATCH: picks the patch format by the media type, and gives failures the codes of the real server.
import { decodeProblem } from '../store/decoding.ts';
import type { Draft } from '../store/defaults.ts';
import type { ServedResource } from '../store/resources.ts';
import { badRequest, StatusError } from '../store/status-error.ts';
import type { StoredObject } from '../store/store.ts';
import { copyOf, isObject } from '../store/wire-value.ts';
import { mediaTypeOf, unsupportedMediaType } from './body.ts';
import { applyJsonPatch, type PatchOperation } from './json-patch.ts';
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
    // Server-side apply is not served, and so it isn't offered either.
    throw unsupportedMediaType([jsonPatch, mergePatch, strategicMergePatch]);
  }
  // A patch shares what it leaves alone with the stored object, which nobody may write to.
  const patched = copyOf(apply(mediaType, readPatch(request.body ?? ''), current));
  if (!isObject(patched) || !isObject(patched['metadata']))
    throw undecodable(patched, 'expected an object with metadata');
  const draft = patched as unknown as Draft;
  const problem = decodeProblem(type, draft);
  if (problem !== undefined) throw undecodable(patched, problem);
  return draft;
}

function readPatch(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw badRequest(`error decoding patch: ${(error as Error).message}`);
  }
}

function apply(mediaType: string, patch: unknown, current: StoredObject): unknown {
  if (mediaType === jsonPatch) {
    if (!isOperations(patch)) {
      throw badRequest(
        'error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch',
      );
    }
    try {
      return applyJsonPatch(current, patch);
    } catch {
      // Which operation failed, the real server doesn't say.
      throw new StatusError(
        422,
        'Invalid',
        'the server rejected our request due to an error in our request',
        {},
      );
    }
  }
  if (!isObject(patch))
    throw badRequest(
      'error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}',
    );
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
