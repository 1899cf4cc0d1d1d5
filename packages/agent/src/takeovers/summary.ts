// One takeover in a line: for lists of them.
import {
  confirmCommand,
  confirmOnRecordCommand,
  type FenceEvidence,
  manualFencer,
  recordName,
  type TakeoverRecord,
  type TakeoverResult,
  type TakeoverStep,
  takeoverSteps,
} from '@liberator/core';
import { between } from '../text/time.ts';
import { type RungView, rungsOf } from './climb.ts';

export interface TakeoverSummary {
  readonly id: string;
  readonly node: string;
  /** Its result; while it runs, the step that it is in. */
  readonly state: TakeoverResult | TakeoverStep | 'undoing';
  readonly running: boolean;
  readonly openedAt: string;
  /** Until now for one that runs. */
  readonly durationMs: number;
  readonly epoch: number;
  /** The policy that it follows. */
  readonly policy: string;
  /** Absent in records of older versions. */
  readonly leader?: string;
  /** What it waits for, or what is left to say of one that is over. */
  readonly detail?: string;
  /** What vouches for the death, and whose word that is; absent as long as nothing does. */
  readonly proof?: string;
  readonly fencer?: string;
  /** Who said what, and when. */
  readonly evidence?: readonly FenceEvidence[];
  /** How far its ladder of fencers was climbed, while it fences. */
  readonly climb?: readonly RungView[];
  /** What a human runs who has made sure that the machine is off, where one is waited for. */
  readonly confirm?: string;
}

/**
 * @param now ISO 8601; what counts as the end of a takeover that has none yet
 * @param namespace - Where records lie; undefined: no command that confirms a death is given.
 */
export function summaryOf(record: TakeoverRecord, now: string, namespace?: string): TakeoverSummary {
  const { id, node, openedAt, epoch, leader, result, closedAt } = record;
  const step = takeoverSteps.find((name) => record.steps[name]?.outcome === undefined) ?? 'verify';
  const detail = detailOf(record, step);
  const climb = result === undefined && step === 'fence' && !isEnding(record) ? rungsOf(record) : [];
  return {
    id,
    node: node.name,
    state: result ?? (isEnding(record) ? 'undoing' : step),
    running: result === undefined,
    openedAt,
    durationMs: Math.max(0, between(openedAt, closedAt ?? now)),
    epoch,
    policy: record.policy.name,
    ...(leader !== undefined && { leader }),
    ...(detail !== undefined && { detail }),
    ...(record.proof !== undefined && { proof: record.proof }),
    ...(record.fencer !== undefined && { fencer: record.fencer }),
    ...(record.proofEvidence !== undefined && { evidence: record.proofEvidence }),
    ...(climb.length > 0 && { climb }),
    ...(namespace !== undefined &&
      waitsForHuman(record, step) && { confirm: howToConfirm(record, namespace) }),
  };
}

/** There is no Node to say it on once that is gone. */
function howToConfirm({ id, node, deathId, nodeGone }: TakeoverRecord, namespace: string): string {
  return nodeGone === true
    ? confirmOnRecordCommand({ namespace, name: recordName(id) }, deathId)
    : confirmCommand(node.name, deathId);
}

/** The steps have stopped, and our marks are being taken off. */
function isEnding({ undoing, overtaken }: TakeoverRecord): boolean {
  return undoing !== undefined || overtaken !== undefined;
}

function waitsForHuman(record: TakeoverRecord, step: TakeoverStep): boolean {
  const { policy, result } = record;
  const running = result === undefined && !isEnding(record);
  return running && step === 'fence' && policy.drivers.includes(manualFencer.name);
}

function detailOf(record: TakeoverRecord, step: TakeoverStep): string | undefined {
  if (isEnding(record)) return record.undoing ?? record.overtaken;
  if (record.result === 'incomplete') return record.steps.verify?.detail;
  if (record.result !== undefined) return returnOf(record);
  return record.steps[step]?.detail;
}

/** What has become of the node since. */
function returnOf({ return: returned }: TakeoverRecord): string | undefined {
  if (returned === undefined) return undefined;
  if (returned.welcomed) return 'the node is back';
  return returned.quarantined ? 'the node is back, in quarantine' : 'the node is back, not trusted yet';
}
