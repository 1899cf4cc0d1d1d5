// From the keys of a fencer of storage to the driver.
import {
  describePermission,
  type Fencer,
  type KubernetesReader,
  missingPermissions,
  networkFencePermissions,
  networkFencer,
  type Transport,
} from '@liberator/core';
import type { NetworkFenceConfig } from '../config/fencers/network-fence.ts';
import { deviceIn } from './device.ts';

export function buildNetworkFence(
  name: string,
  config: NetworkFenceConfig,
  { reader, transport }: { readonly reader: KubernetesReader; readonly transport?: Transport },
): Fencer {
  const { class: networkFenceClass, timeout } = config;
  const permissions = networkFencePermissions;
  const fencer = networkFencer({
    name,
    networkFenceClass,
    reader,
    ...(transport && {
      missingRights: async (signal) =>
        (await missingPermissions({ transport, permissions, signal })).map(describePermission),
    }),
    ...(timeout !== undefined && { timeoutMs: timeout }),
  });
  return { ...fencer, ...deviceIn(config) };
}
