// What takeovers rely on in the port through which they act: one text, for the fake that core's tests use and for the real one.
import { describe } from 'vitest';
import type { TakeoverPort, Within } from './takeover-port.ts';
import { describeNodeWrites } from './takeover-port-nodes.ts';
import { describePodWrites } from './takeover-port-pods.ts';
import { describeRecords } from './takeover-port-records.ts';
import { describeTakeoverTrouble } from './takeover-port-trouble.ts';

/** Declares the tests; each starts a cluster of its own. */
export function describeTakeoverPort(name: string, start: () => Promise<TakeoverPort>): void {
  const within: Within = async (test) => {
    const port = await start();
    try {
      await test(port);
    } finally {
      await port.close();
    }
  };
  describe(`the port of takeovers, ${name}`, () => {
    describeNodeWrites(within);
    describePodWrites(within);
    describeRecords(within);
    describeTakeoverTrouble(within);
  });
}
