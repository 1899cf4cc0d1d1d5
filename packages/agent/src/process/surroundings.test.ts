import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { lookAtSurroundings } from './surroundings.ts';

describe('the identity of a replica', () => {
  it("is its pod's name, as the manifest passes it on", () => {
    expect(lookAtSurroundings({ POD_NAME: 'liberator-7d4b9c-x2x' }).identity).toMatch(
      /^liberator-7d4b9c-x2x_[0-9a-f]{8}$/,
    );
  });

  it("is the host's name where nothing is passed on", () => {
    for (const env of [{}, { POD_NAME: '' }]) {
      expect(lookAtSurroundings(env).identity.slice(0, -9)).toBe(hostname());
    }
  });

  it('is another one in each life: a container that starts anew keeps the name of its pod', () => {
    const env = { POD_NAME: 'liberator-0' };
    expect(lookAtSurroundings(env).identity).not.toBe(lookAtSurroundings(env).identity);
  });
});
