import { describe, expect, it } from 'vitest';
import { isForbidden } from '../kubernetes/errors.ts';
import { answer, statusBody } from '../testing/scripted-server.ts';
import { connectTo, serve } from '../testing/wire.ts';
import { excessIn, grantedRules, whoAmI } from './access-review.ts';
import { neededPermissions } from './permissions.ts';
import { serverVersion, tryElectionLease } from './server-probe.ts';

const namespace = 'tkr-system';
const election = { namespace, name: 'liberator' };
const needed = neededPermissions({ namespace, election });

/** An API server with the given answers, one a request, and what it was asked. */
async function asking(...answers: readonly [number, object][]) {
  const left = [...answers];
  const server = await serve((_, response) => {
    const [status, body] = left.shift() ?? [500, {}];
    answer(response, status, body);
  });
  const transport = connectTo(server.kubeConfig());
  const asked = () => server.requests.map(({ method, url, body }) => `${method} ${url} ${body}`);
  return { transport, asked };
}

describe('asking who we are', () => {
  it('tells the name', async () => {
    const { transport, asked } = await asking([201, { status: { userInfo: { username: 'alice' } } }]);
    expect(await whoAmI({ transport })).toBe('alice');
    expect(asked()).toEqual([
      'POST /apis/authentication.k8s.io/v1/selfsubjectreviews ' +
        '{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}',
    ]);
  });

  it.each([403, 404])('tells nothing where the server does not say (%d)', async (status) => {
    const { transport } = await asking([status, statusBody(status, '', '')]);
    expect(await whoAmI({ transport })).toBeUndefined();
  });
});

describe('asking for all rights', () => {
  it('tells them, and whether they are all', async () => {
    const rule = { verbs: ['get'], apiGroups: [''], resources: ['nodes'] };
    const { transport, asked } = await asking([201, { status: { resourceRules: [rule], incomplete: true } }]);
    expect(await grantedRules({ transport, namespace })).toEqual({ rules: [rule], incomplete: true });
    expect(asked()[0]).toContain('"spec":{"namespace":"tkr-system"}');
  });

  it('takes the empty list as Go writes it', async () => {
    const { transport } = await asking([201, { status: { resourceRules: null } }]);
    expect(await grantedRules({ transport, namespace })).toEqual({ rules: [], incomplete: false });
  });
});

describe('rights beyond need', () => {
  it('are none where exactly what is needed is granted', () => {
    const rules = needed
      .filter((one) => one.namespace === undefined || one.namespace === namespace)
      .map(({ verb, resource }) => ({
        verbs: [verb],
        apiGroups: [resource.group],
        resources: [resource.plural],
      }));
    expect(excessIn(rules, needed, namespace)).toEqual([]);
  });

  it('are none for what everybody may ask about themselves', () => {
    const rule = {
      verbs: ['create'],
      apiGroups: ['authorization.k8s.io'],
      resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
    };
    expect(excessIn([rule], needed, namespace)).toEqual([]);
  });

  it('are told in the shortest words for a cluster-admin', () => {
    expect(excessIn([{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }], needed, namespace)).toEqual([
      '* everything',
    ]);
  });

  it('are told by resource, with only the verbs that are too many', () => {
    const rules = [
      { verbs: ['get', 'list'], apiGroups: [''], resources: ['secrets', 'nodes'] },
      { verbs: ['watch', 'update'], apiGroups: [''], resources: ['secrets', 'nodes'] },
      { verbs: ['escalate'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'] },
      { verbs: ['get'], apiGroups: ['metrics.k8s.io'], resources: ['*'] },
    ];
    expect(excessIn(rules, needed, namespace)).toEqual([
      'get, list, watch, update secrets',
      'update nodes',
      'escalate clusterroles.rbac.authorization.k8s.io',
      'get everything in API group "metrics.k8s.io"',
    ]);
  });

  it('are rights in one namespace that are only needed in another', () => {
    const rule = { verbs: ['patch'], apiGroups: ['coordination.k8s.io'], resources: ['leases'] };
    expect(excessIn([rule], needed, namespace)).toEqual([]);
    expect(excessIn([rule], needed, 'kube-node-lease')).toEqual(['patch leases.coordination.k8s.io']);
  });
});

describe('the version of the server', () => {
  it('is what it says', async () => {
    const { transport, asked } = await asking([200, { gitVersion: 'v1.36.3' }]);
    expect(await serverVersion({ transport })).toBe('v1.36.3');
    expect(asked()).toEqual(['GET /version ']);
  });
});

describe('trying the election Lease', () => {
  const path = '/apis/coordination.k8s.io/v1/namespaces/tkr-system/leases';

  it('patches nothing into the one that is there, and keeps nothing', async () => {
    const { transport, asked } = await asking([200, {}]);
    expect(await tryElectionLease({ transport, election })).toBe('there');
    expect(asked()).toEqual([`PATCH ${path}/liberator?dryRun=All {}`]);
  });

  it('creates none where there is none', async () => {
    const { transport, asked } = await asking([404, statusBody(404, 'NotFound', '')], [201, {}]);
    expect(await tryElectionLease({ transport, election })).toBe('would be created');
    expect(asked()[1]).toMatch(/^POST \S+\/leases\?dryRun=All /);
  });

  it('tells a refusal of either', async () => {
    const refused = [403, statusBody(403, 'Forbidden', 'no')] as [number, object];
    const patching = await asking(refused);
    await expect(tryElectionLease({ ...patching, election })).rejects.toSatisfy(isForbidden);
    const creating = await asking([404, statusBody(404, 'NotFound', '')], refused);
    await expect(tryElectionLease({ ...creating, election })).rejects.toSatisfy(isForbidden);
  });
});
