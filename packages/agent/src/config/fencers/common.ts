// What every fencer may be told, whatever its driver.
import { templateFault } from '@liberator/core';
import * as z from 'zod';
import { count, optionalDuration, text } from '../values.ts';

/** The keys of one driver, told apart from others by `driver`. */
export type DriverSchema<T extends { readonly driver: string }> = z.ZodType<T> & z.core.$ZodTypeDiscriminable;

/** Keys that every driver has. */
export interface CommonConfig {
  /** How long one answer may take as a whole, in milliseconds. */
  readonly timeout?: number | undefined;
  /** The device that several machines share; each text is a template. */
  readonly device?: DeviceConfig | undefined;
}

interface DeviceConfig {
  readonly key: string;
  readonly concurrency: number;
  readonly switches: readonly string[];
}

/** Text in which `{name}`, `{label.KEY}` and the like stand for what is known of the node. */
export const template = (): z.ZodType<string> =>
  text().superRefine((found, context) => {
    const fault = templateFault(found);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: `expected a template: ${fault}` });
  });

/** A file, as a template. */
export const file = (): z.ZodType<string> =>
  template().refine((path) => path.startsWith('/'), 'expected the absolute path of a file');

/**
 * A file that holds a secret and nothing else: where a Secret is mounted. What else stands there may be the secret itself, so that it
 * is told of in no message, whatever its type.
 */
export const secretFile = (): z.ZodType<string> =>
  z.unknown().transform((found, context) => {
    if (typeof found === 'string' && found.startsWith('/')) {
      const fault = templateFault(found);
      if (fault === undefined) return found;
      context.addIssue({ code: 'custom', message: `expected a template: ${fault}` });
    } else if (found === undefined) {
      context.addIssue({ code: 'custom', message: 'expected the absolute path of a file, found nothing' });
    } else {
      const hint = 'credentials do not stand in here, but in a file of their own, where a Secret is mounted';
      context.addIssue({
        code: 'custom',
        message: `expected the absolute path of a file, found none: ${hint}`,
      });
    }
    return z.NEVER;
  });

/** The shape of {@link CommonConfig}, to be spread into that of a driver. */
export const common: {
  readonly timeout: z.ZodType<CommonConfig['timeout']>;
  readonly device: z.ZodType<CommonConfig['device']>;
} = {
  timeout: optionalDuration(),
  device: z
    .strictObject({
      key: template(),
      concurrency: count(1).default(1),
      switches: z.array(template()).default([]),
    })
    .optional(),
};
