// Is there an API server, and is it new enough?
import { serverVersion, type Transport } from '@liberator/core';
import { sentenceOf } from '../process/failure.ts';
import { type Finding, failure, ok, warning } from './finding.ts';

/** The out-of-service taint does its work from here on without a feature gate. */
const oldestMinor = 28;

/** One failure means that nothing else needs to be asked. */
export async function checkApiServer(transport: Transport): Promise<Finding> {
  const what = 'reachable';
  try {
    return judgeVersion(await serverVersion({ transport }));
  } catch (error) {
    return failure(what, sentenceOf(error));
  }
}

export function judgeVersion(version: string): Finding {
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined) return warning('reachable', `it does not say which version it is ("${version}")`);
  if (Number(major) === 1 && Number(minor) < oldestMinor) {
    return warning(
      `Kubernetes ${version}`,
      `before 1.${oldestMinor} the out-of-service taint needs a feature gate, or volumes stay attached for minutes`,
    );
  }
  return ok(`reachable, Kubernetes ${version}`);
}
