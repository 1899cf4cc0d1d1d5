// Hears what this process writes while a driver is at work: a secret in a log line is out.
import { inspect } from 'node:util';

/** What was heard so far, as texts. */
export interface Heard {
  readonly said: readonly string[];
  /** Something else that was said, such as an answer or an error, with all that is in it. */
  add(value: unknown): void;
  stop(): void;
}

const methods = ['debug', 'error', 'info', 'log', 'trace', 'warn'] as const;

/** Passes on what it hears. Several may listen, and stop in whatever order. */
export function listenToProcess(): Heard {
  const said: string[] = [];
  const add = (value: unknown): void => {
    said.push(
      typeof value === 'string'
        ? value
        : inspect(value, { depth: 20, maxArrayLength: 1_000, maxStringLength: null, getters: false }),
    );
  };
  const onWarning = (warning: Error): void => add(warning);
  if (listeners.size === 0) begin();
  listeners.add(add);
  process.on('warning', onWarning);
  return {
    said,
    add,
    stop: () => {
      process.off('warning', onWarning);
      if (listeners.delete(add) && listeners.size === 0) end();
    },
  };
}

const listeners = new Set<(value: unknown) => void>();
const restore: (() => void)[] = [];

function begin(): void {
  for (const stream of [process.stdout, process.stderr]) hear(stream, 'write');
  // A runner of tests may have taken these away from the streams.
  for (const method of methods) hear(console, method);
}

function end(): void {
  for (const undo of restore.splice(0)) undo();
}

function hear<K extends string>(on: Record<K, (...args: never[]) => unknown>, name: K): void {
  const before = on[name];
  on[name] = function heard(this: unknown, ...args: never[]): unknown {
    for (const arg of args as readonly unknown[]) {
      if (typeof arg !== 'function')
        for (const tell of listeners) tell(arg instanceof Uint8Array ? Buffer.from(arg).toString() : arg);
    }
    return before.apply(this, args);
  };
  restore.push(() => {
    on[name] = before;
  });
}
