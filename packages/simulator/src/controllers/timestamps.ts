// Wall time as Kubernetes writes it: whole seconds for Time, exactly six fraction digits for MicroTime.
import type { Clock } from '@liberator/core';

/** `2026-01-01T00:00:00Z` */
export function timeText(clock: Clock): string {
  return `${new Date(clock.wallTime()).toISOString().slice(0, 19)}Z`;
}

/** `2026-01-01T00:00:00.000000Z` */
export function microTimeText(clock: Clock): string {
  return new Date(clock.wallTime()).toISOString().replace('Z', '000Z');
}
