// Reads what an agent logs. Of its lines only those count that a timeline needs; the rest is in the log file.
import type { Health } from '@liberator/core';
import type { Observation } from '../observing/observation.ts';

/** The fields that are read here, of the log lines that the agent's README describes. */
interface LogLine {
  readonly event?: string;
  readonly level?: string;
  readonly msg?: string;
  readonly leading?: boolean;
  readonly epoch?: number;
  readonly blind?: readonly string[];
  readonly node?: string;
  readonly to?: Health;
  readonly action?: 'act' | 'hold';
  readonly reasons?: readonly string[];
}

/** Undefined for lines that say nothing new, and for what is no log line. */
export function observationIn(line: string, agent: string): Observation | undefined {
  const { event, level, msg = '', leading, epoch, blind, node, to, action, reasons = [] } = parse(line);
  if (event === 'leadership' && leading === true && epoch !== undefined)
    return { kind: 'leads', agent, epoch };
  if (event === 'sight' && blind !== undefined) return { kind: 'sight', agent, blind };
  if (event === 'health' && node !== undefined && to !== undefined) {
    return { kind: 'health', agent, node, to, reasons };
  }
  if (event === 'decision' && node !== undefined && action === 'hold') {
    return { kind: 'held', agent, node, reasons };
  }
  return level === 'error' ? { kind: 'trouble', agent, message: msg } : undefined;
}

function parse(line: string): LogLine {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    // A warning of the runtime, say. It is in the log file, too.
    return {};
  }
}
