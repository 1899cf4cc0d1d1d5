// The polling program as a child process.
import { AgentProcess } from '../../processes/agent-process.ts';
import { startChild } from '../../processes/child.ts';

const program = new URL('main.ts', import.meta.url).pathname;

/** `entries` tell `ready` after the first look, and `deleted` with the node. */
export function startPolling(kubeconfig: string, within: readonly string[] = []): AgentProcess {
  const [command = process.execPath, ...before] = [...within, process.execPath];
  return new AgentProcess(
    startChild(command, [...before, program, kubeconfig], { stdio: ['pipe', 'pipe', 'pipe'] }),
  );
}
