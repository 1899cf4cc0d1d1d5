// `liberator drain`: what it does with its flags, what it shows meanwhile, and how it ends.
import { drain, drainingHoldMs, previewDrain } from '@liberator/core';
import type { ClusterFlags } from '../cluster/flags.ts';
import { clusterArguments } from '../cluster/flags.ts';
import { exitCode } from '../process/exit-code.ts';
import { FatalError } from '../process/failure.ts';
import { whoami } from '../process/whoami.ts';
import { widthOf } from '../text/output.ts';
import { openDrainDisplay } from './drain-display.ts';
import { withCallersCluster } from './session.ts';
import { counted, drainedLines, failureLines, planTable, type WaysOn } from './wording.ts';

export interface DrainFlags extends ClusterFlags {
  readonly dryRun?: boolean;
  readonly force?: boolean;
  readonly deleteEmptydirData?: boolean;
  /** Milliseconds. */
  readonly timeout: number;
  /** Milliseconds. */
  readonly gracePeriod?: number;
  /** Milliseconds. */
  readonly hold: number;
}

/** @throws FatalError for every end but the good one. */
export async function drainNode(node: string, flags: DrainFlags): Promise<void> {
  const { force, deleteEmptydirData, timeout, hold, gracePeriod } = flags;
  const rules = { force: force === true, deleteEmptyDirData: deleteEmptydirData === true };
  await withCallersCluster(
    flags,
    'drain',
    async ({ cluster, signal }) => {
      if (flags.dryRun) {
        const pods = await previewDrain({ cluster, node, ...rules, signal });
        if (pods.length === 0) console.log(`there are no pods on ${node}`);
        else console.log(planTable(pods, widthOf(process.stdout)).join('\n'));
        const refused = pods.filter(({ action }) => action === 'refuse').length;
        if (refused > 0) throw wouldRefuse(node, refused);
        return;
      }
      using display = openDrainDisplay(node, process.stdout);
      const drained = await drain({
        cluster,
        node,
        by: whoami(),
        ...rules,
        timeoutMs: timeout,
        holdMs: hold,
        ...(gracePeriod !== undefined && { gracePeriodSeconds: Math.ceil(gracePeriod / 1_000) }),
        signal,
        onProgress: (progress) => display.hear(progress),
      });
      display[Symbol.dispose]();
      for (const line of drainedLines(node, drained)) console.log(line);
    },
    (error) => failureLines(node, waysOn(node, flags), error, drainingHoldMs),
  );
}

function wouldRefuse(node: string, pods: number): FatalError {
  return new FatalError(`a drain of ${node} would refuse: something would be lost with ${counted(pods)}`, {
    code: 'LIBERATOR_DRAIN_REFUSED',
    exitCode: exitCode.failed,
  });
}

/** In the same cluster, and with the permissions to lose something that were given this time. */
function waysOn(node: string, flags: DrainFlags): WaysOn {
  const where = [node, ...clusterArguments(flags)].join(' ');
  const permissions = [flags.force && '--force', flags.deleteEmptydirData && '--delete-emptydir-data'];
  return {
    again: ['liberator drain', where, ...permissions].filter(Boolean).join(' '),
    back: `liberator uncordon ${where}`,
  };
}
