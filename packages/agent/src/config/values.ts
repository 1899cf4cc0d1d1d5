// Kinds of values that several parts of the configuration share, as the file writes them.
import * as z from 'zod';
import { DurationError, formatDuration, parseDuration } from '../text/duration.ts';
import { parseSize, SizeError } from '../text/size.ts';

/** Anything that a person may write, as the number that it stands for. */
type Parsed = z.ZodPipe<z.ZodUnknown, z.ZodTransform<number>>;

/** Milliseconds, written `30s`; the default is given in milliseconds. */
export function duration(fallbackMs: number): z.ZodPrefault<Parsed> {
  return durationText().prefault(formatDuration(fallbackMs));
}

/** Milliseconds, written `30s`; undefined where the file says nothing. */
export function optionalDuration(): z.ZodOptional<Parsed> {
  return durationText().optional();
}

function durationText(): Parsed {
  return z.unknown().transform((found, context) => {
    try {
      return parseDuration(found);
    } catch (error) {
      if (!(error instanceof DurationError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });
}

/** Bytes, written `64MiB`. */
export function size(fallback: string): z.ZodPrefault<Parsed> {
  return z
    .unknown()
    .transform((found, context) => {
      try {
        return parseSize(found);
      } catch (error) {
        if (!(error instanceof SizeError)) throw error;
        context.addIssue({ code: 'custom', message: error.message });
        return z.NEVER;
      }
    })
    .prefault(fallback);
}

export const text = (): z.ZodString => z.string().min(1);
export const count = (least: number): z.ZodInt => z.int().min(least);
