// Test files share a process, so a file that leaves something behind breaks another one, far away and only in some orders. Here
// it breaks itself.
import { afterAll, expect, vi } from 'vitest';

/** Whoever listens to one of these decides how the process ends. */
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP', 'uncaughtException', 'unhandledRejection', 'exit'];

const state = (): object => ({
  folder: process.cwd(),
  exitCode: process.exitCode,
  listeners: endings.map((event) => `${event}: ${process.listenerCount(event)}`),
  globals: [Date, setTimeout, setInterval, queueMicrotask, fetch, Math.random, performance.now],
});

const before = state();
const environment = { ...process.env };

// Registered before those of the file, it comes after them.
afterAll(() => {
  // As Vitest does by itself before the next test.
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  expect(state(), 'what the tests of this file left behind').toEqual(before);
  // Names only: nobody knows what secrets there are.
  const names = [...new Set([...Object.keys(environment), ...Object.keys(process.env)])];
  const changed = names.filter((name) => process.env[name] !== environment[name]);
  expect(changed, 'environment variables that the tests of this file left changed').toEqual([]);
});
