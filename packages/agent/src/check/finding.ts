// One thing that was looked at, and what came of it.
import { isForbidden, isNotFound, KubernetesError } from '@liberator/core';
import { sentenceOf } from '../process/failure.ts';

/**
 * - `ok`: as it should be.
 * - `skipped`: not looked at, and the detail says why; says nothing good or bad.
 * - `warning`: Liberator works, but not as well or not as safely as it could.
 * - `failure`: Liberator can not do its work.
 */
export type Mark = 'ok' | 'skipped' | 'warning' | 'failure';

export interface Finding {
  readonly mark: Mark;
  /** What was looked at. */
  readonly what: string;
  /** What was found, and what to do where it is not well. */
  readonly detail?: string;
}

/** Findings that belong together. */
export interface Section {
  readonly title: string;
  readonly findings: readonly Finding[];
}

export const ok = (what: string, detail?: string): Finding => finding('ok', what, detail);
export const skipped = (what: string, detail: string): Finding => finding('skipped', what, detail);
export const warning = (what: string, detail: string): Finding => finding('warning', what, detail);
export const failure = (what: string, detail: string): Finding => finding('failure', what, detail);

function finding(mark: Mark, what: string, detail: string | undefined): Finding {
  return { mark, what, ...(detail !== undefined && { detail }) };
}

/**
 * What reading came to: findings, or one that says why it could not be looked at. Not being allowed to look, and a
 * server that lacks the very resource, say nothing of Liberator.
 */
export async function lookingAt(
  what: string,
  look: () => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof KubernetesError)) return [failure(what, sentenceOf(error))];
    const { verb, resource } = error.call;
    if (isForbidden(error)) return [skipped(what, `you may not ${verb} ${resource.plural}`)];
    if (isNotFound(error)) return [skipped(what, `this API server does not serve ${resource.plural}`)];
    return [failure(what, sentenceOf(error))];
  }
}

/** The exit code of a check: 0 fine, 1 warnings, 2 failures. */
export function checkExitCode(sections: readonly Section[]): 0 | 1 | 2 {
  const marks = new Set(sections.flatMap(({ findings }) => findings.map(({ mark }) => mark)));
  if (marks.has('failure')) return 2;
  return marks.has('warning') ? 1 : 0;
}
