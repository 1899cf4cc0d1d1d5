import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addPlaceOptions, type PlaceFlags, placeOf } from './place.ts';

function parsed(...args: readonly string[]): PlaceFlags {
  const command = addPlaceOptions(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return command.parse(args, { from: 'user' }).opts<PlaceFlags>();
}

describe('the installation that a person means', () => {
  it('is where the chart puts it, unless something says otherwise', () => {
    expect(placeOf(parsed())).toEqual({
      namespace: 'tkr-system',
      election: { namespace: 'tkr-system', name: 'liberator' },
    });
  });

  it('is what a configuration says, and before that what flags say', () => {
    const configured = { namespace: 'apps', election: { namespace: 'apps', name: 'rescuer' } };
    expect(placeOf(parsed(), configured)).toEqual(configured);
    expect(placeOf(parsed('-n', 'db', '--election', 'other'), configured)).toEqual({
      namespace: 'db',
      election: { namespace: 'db', name: 'other' },
    });
  });

  it.each(['', 'Apps', '-x', 'a/b', 'a_b'])('is not called "%s"', (name) => {
    expect(() => parsed('--namespace', name)).toThrow(/expected a Kubernetes name/);
  });
});
