// Does something lie where records of takeovers lie that no leader can use?
import { type KubernetesReader, readTakeovers, type TakeoversOnRecord } from '@liberator/core';
import { type Finding, lookingAt, ok, warning } from './finding.ts';

export function checkRecords(reader: KubernetesReader, namespace: string): Promise<readonly Finding[]> {
  return lookingAt('the records of takeovers', async () =>
    judgeRecords(await readTakeovers(reader, namespace)),
  );
}

export function judgeRecords({ records, unreadable }: TakeoversOnRecord): readonly Finding[] {
  const damaged = unreadable.map(({ name, node, kind, problem }) => {
    const about = node === undefined ? name : `${name}, of ${node}`;
    const advice =
      kind === 'newer'
        ? 'its node is not taken over: run the version that wrote it, or delete it'
        : 'it is set aside: repair it, or delete it once nothing of it is needed';
    return warning(about, `${problem}; ${advice}`);
  });
  return damaged.length > 0 ? damaged : [ok(`${records.length} on record, and all of them can be read`)];
}
