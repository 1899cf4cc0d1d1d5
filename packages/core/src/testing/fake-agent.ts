// A program of the fence agents' protocol, written for one test: a real script that really runs, and logs what it was told.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What it does otherwise than a good one; each text is shell. */
export interface FakeAgentFaults {
  readonly metadata?: string;
  readonly off?: string;
  readonly on?: string;
  readonly status?: string;
}

/** Parameters, each `NAME`, or `NAME!` where it is required. */
export function metadataWith(
  parameters: readonly string[],
  actions: readonly string[] = ['on', 'off', 'reboot', 'status', 'monitor', 'metadata'],
): string {
  const all = ['action!', ...parameters].map((word) => {
    const name = word.replace('!', '');
    const option = name === 'action' ? '-o, --action=[action]' : `--${name}=[value]`;
    return `<parameter name="${name}" required="${word === name ? 0 : 1}"><getopt mixed="${option}" /></parameter>`;
  });
  return `<?xml version="1.0" ?>
<resource-agent name="fake"><parameters>${all.join('')}</parameters>
<actions>${actions.map((name) => `<action name="${name}" />`).join('')}</actions></resource-agent>`;
}

/** Switches a file. */
export class FakeAgent implements Disposable {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'fake-agent-'));
  readonly program: string = join(this.folder, 'fence_fake');

  constructor(faults: FakeAgentFaults = {}) {
    writeFileSync(join(this.folder, 'metadata.xml'), metadataWith(['plug!', 'ip', 'password']));
    this.power = 'on';
    this.be(faults);
  }

  /** From now on. */
  be(faults: FakeAgentFaults): void {
    const {
      metadata = `cat "$folder/metadata.xml"`,
      off = `echo off >"$folder/power"; echo "Success: Powered OFF"`,
      on = `echo on >"$folder/power"; echo "Success: Powered ON"`,
      status = `if [ "$(cat "$folder/power")" = off ]; then echo "Status: OFF"; exit 2; fi; echo "Status: ON"`,
    } = faults;
    // Written beside and put in its place by nobody: it is not running now.
    writeFileSync(
      this.program,
      `#!/bin/sh
folder=${this.folder}
action=reboot
: >"$folder/input.$$"
while IFS= read -r line; do
  printf '%s\\n' "$line" >>"$folder/input.$$"
  case $line in action=*) action=\${line#action=} ;; esac
done
echo "$action" >>"$folder/actions"
cp "$folder/input.$$" "$folder/input.$action"
tr '\\0' '\\n' <"/proc/$$/environ" >"$folder/environment"
tr '\\0' '\\n' <"/proc/$$/cmdline" >"$folder/command"
case $action in
metadata) ${metadata} ;;
off) ${off} ;;
on) ${on} ;;
status) ${status} ;;
*) echo "unknown action $action" >&2; exit 1 ;;
esac
`,
    );
    chmodSync(this.program, 0o755);
  }

  get power(): string {
    return this.read('power').trim();
  }

  set power(power: 'on' | 'off') {
    writeFileSync(join(this.folder, 'power'), power);
  }

  /** All that it was asked to do but to describe itself, in order. */
  get actions(): readonly string[] {
    return this.read('actions')
      .split('\n')
      .filter((action) => action !== '' && action !== 'metadata');
  }

  /** The lines that it got with an action last. */
  input(action: string): readonly string[] {
    return this.read(`input.${action}`).trimEnd().split('\n');
  }

  /** Empty where there is no such file. */
  read(name: string): string {
    const path = join(this.folder, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  write(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
