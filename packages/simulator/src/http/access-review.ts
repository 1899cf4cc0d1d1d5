// `SelfSubjectAccessReview`: what the authorizer would say, asked beforehand.
import { invalid, invalidValue, methodNotAllowed } from '../store/status-error.ts';
import { fieldsOf, isObject } from '../store/wire-value.ts';
import type { Authorizer } from './authorization.ts';
import { readObject } from './body.ts';
import { type ApiRequest, type ApiResponse, jsonResponse } from './request.ts';

const kind = 'SelfSubjectAccessReview';
const type = { group: 'authorization.k8s.io', version: 'v1', plural: 'selfsubjectaccessreviews', kind };

/** @throws StatusError 400, 405, 422 */
export function reviewAccess(request: ApiRequest, authorize: Authorizer | undefined): ApiResponse {
  if (request.method !== 'POST') throw methodNotAllowed();
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = readObject(request, type);
  const spec = fieldsOf(rest['spec']);
  const attributes = spec['resourceAttributes'];
  if (isObject(attributes) === isObject(spec['nonResourceAttributes'])) {
    const why = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
    throw invalid({ ...type, kind: '' }, '', [
      invalidValue('spec.resourceAttributes', attributes ?? null, why),
    ]);
  }
  const allowed =
    !isObject(attributes) || authorize === undefined || authorize(accessIn(attributes, request.user));
  const review = { kind, apiVersion: 'authorization.k8s.io/v1', metadata: metadata ?? {}, ...rest };
  return jsonResponse(201, { ...review, status: { allowed } });
}

function accessIn(attributes: object, user: string): Parameters<Authorizer>[0] {
  const { verb = '', group = '', resource = '', ...more } = attributes as Readonly<Record<string, string>>;
  const optional = Object.fromEntries(
    ['subresource', 'namespace', 'name'].filter((field) => more[field]).map((field) => [field, more[field]]),
  );
  return { user, verb, group, resource, ...optional };
}
