// What is refused or hangs on a real control plane, at the hands of real admission and real finalizers: one thing's
// trouble is its own.
import { expect, it } from 'vitest';
import { fast } from './fast.ts';
import { databaseOn, isReady, Stage } from './stage.ts';

it('a pod whose deletion is refused holds up no other pod, nor its Node, and is named in the end', async () => {
  await using stage = await Stage.open({
    ...fast,
    agents: ['agent-a', 'agent-b'],
    policy: { detection: fast.detection },
    provoked: true,
  });
  const { before, node } = await databaseOn(stage);
  // Its name comes before the database's, and it tolerates what would have Kubernetes evict it.
  await stage.create(podOn(node, 'aaa-protected'), ...refusing('aaa-protected'));

  stage.cluster.crash(node);
  await stage.until('mysql-0 is Ready elsewhere', async () => {
    const pod = await stage.database();
    return pod?.metadata.uid !== before.metadata.uid && pod?.spec?.nodeName !== node && isReady(pod);
  });
  await stage.until('the Node is gone', async () => !(await stage.nodeNames()).includes(node), 150_000);
  const [record] = await stage.records();
  expect(record?.steps.release?.detail).toContain('aaa-protected');
  expect(record?.steps.release?.detail).toContain('it is precious');
  const refused = (await stage.attempts('delete', 'pods')).filter(({ name }) => name === 'aaa-protected');
  // Tried again with patience, not each half second for a minute.
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.length).toBeLessThan(20);
});

it('what hangs on a finalizer is asked to go once, and its finalizer is named', async () => {
  await using stage = await Stage.open({
    ...fast,
    agents: ['agent-a', 'agent-b'],
    policy: { detection: fast.detection },
  });
  const { before, node } = await databaseOn(stage);
  await stage.create(podOn(node, 'aaa-held', { finalizers: ['example.com/archive'] }));
  await stage.patch({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: node, finalizers: ['example.com/decommission'] },
  });

  stage.cluster.crash(node);
  await stage.until('mysql-0 is Ready elsewhere', async () => {
    const pod = await stage.database();
    return pod?.metadata.uid !== before.metadata.uid && pod?.spec?.nodeName !== node && isReady(pod);
  });
  await stage.until(
    'somebody is told what the Node hangs on',
    async () =>
      (await stage.records())[0]?.steps.remove?.detail?.includes('example.com/decommission') ?? false,
    150_000,
  );
  const [record] = await stage.records();
  expect(record?.steps.release?.detail).toContain('example.com/archive');
  expect(record?.steps.remove?.detail).not.toBe('Node deleted');
  const asked = (await stage.attempts('delete', 'pods')).filter(({ name }) => name === 'aaa-held');
  expect(asked.length).toBeLessThanOrEqual(1);
  const nodes = (await stage.attempts('delete', 'nodes')).filter(
    ({ name, code }) => name === node && code === 200,
  );
  expect(nodes).toHaveLength(1);

  // Whoever held it has done what there was to do.
  await stage.patch({ apiVersion: 'v1', kind: 'Node', metadata: { name: node, finalizers: null } });
  await stage.until('the Node is gone', async () => !(await stage.nodeNames()).includes(node));
});

it('a Lease whose time somebody took out is no sign of life: its node is taken over once', async () => {
  await using stage = await Stage.open({
    ...fast,
    agents: ['agent-a'],
    policy: { detection: fast.detection },
  });
  const { before, node } = await databaseOn(stage);

  stage.cluster.crash(node);
  await stage.patch({
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name: node, namespace: 'kube-node-lease' },
    spec: { renewTime: null },
  });
  await stage.untilRecovered(before);
  expect(await stage.records()).toHaveLength(1);
});

function podOn(node: string, name: string, metadata: object = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', ...metadata },
    spec: {
      nodeName: node,
      containers: [{ name: 'main', image: 'registry.example/main:1' }],
      tolerations: [{ operator: 'Exists' }],
      terminationGracePeriodSeconds: 0,
    },
  };
}

/** Nobody but the API server itself may delete the pod of that name. */
function refusing(name: string) {
  return [
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'precious' },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['DELETE'], resources: ['pods'] },
          ],
        },
        validations: [{ expression: `request.name != '${name}'`, message: 'it is precious' }],
      },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: 'precious' },
      spec: { policyName: 'precious', validationActions: ['Deny'] },
    },
  ];
}
