// What the configuration says of devices that several machines share, for each machine: the same for every driver.
import { type FenceDevice, type Fencer, fillIn, TemplateError } from '@liberator/core';
import type { CommonConfig } from '../config/fencers/common.ts';

type Device = NonNullable<Fencer['device']>;

/**
 * To be spread into a driver's options; empty when no device is configured.
 *
 * Machines whose key can't be filled in, such as those without the label that it is made of, share one limit: nobody knows that
 * their devices differ. Of a switch that can't be filled in nothing is known.
 */
export function deviceIn({ device: config }: CommonConfig): { readonly device?: Device } {
  if (config === undefined) return {};
  const { key, concurrency, switches } = config;
  const device: Device = (target): FenceDevice => {
    const known = switches.flatMap((one) => filled(one, target) ?? []);
    return { key: filled(key, target) ?? key, concurrency, ...(known.length > 0 && { switches: known }) };
  };
  return { device };
}

function filled(template: string, target: Parameters<Device>[0]): string | undefined {
  try {
    return fillIn(template, target, 'word');
  } catch (error) {
    if (error instanceof TemplateError) return undefined;
    throw error;
  }
}
