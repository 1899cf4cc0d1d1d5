// `liberator check`: what it is called and what it takes.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { addPlaceOptions } from '../cluster/place.ts';
import { outputOption } from '../text/output-option.ts';
import type { Account } from './account.ts';
import type { CheckFlags } from './run-check.ts';

const details = `
Asks as you, and about the agent's account as that account: for that you have to
be allowed to impersonate it, as cluster-admins are. Nothing is changed: what
has to be tried is a dry run.`;

/** In place of what other commands mean by 1 and 2. */
export const checkExitCodes = `
Exit codes:
  0    fine; what could not be looked at is said, and does not count
  1    warnings: it works, but not as well or not as safely as it could
  2    failures: it can not do its work; or the command line is wrong`;

export function addCheckCommand(program: Command): void {
  const command = program
    .command('check')
    .description('look whether a takeover would work here, before one has to')
    .option('-c, --config <file>', 'take namespace and election from this, and ask its fencers');
  addPlaceOptions(command)
    .addOption(
      new Option(
        '--service-account <namespace/name>',
        "the agent's account (default: you, if you are one of its namespace; else high-availability)",
      ).argParser(account),
    )
    .addOption(outputOption())
    .addHelpText('after', details)
    .action(async (flags: CheckFlags) => {
      const { runCheck } = await import('./run-check.ts');
      await runCheck(flags);
    });
}

function account(text: string): Account {
  const [, namespace, name] = /^([^/:]+)\/([^/:]+)$/.exec(text) ?? [];
  if (namespace !== undefined && name !== undefined) return { namespace, name };
  throw new InvalidArgumentError(`expected NAMESPACE/NAME, found "${text}"`);
}
