// What the port through which everything is read and watched is tested on.
import type { KubernetesReader } from '@liberator/core';

/** A ConfigMap of a test. */
export interface Thing {
  readonly name: string;
  /** Default `default`. The namespaces `alpha` and `omega` are there too. */
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** What changes. */
  readonly value?: string;
}

/** A server without ConfigMaps, and a reader of it. */
export interface ReaderPort {
  readonly reader: KubernetesReader;
  pass(ms: number): Promise<void>;
  close(): Promise<void>;

  // What others do.

  put(thing: Thing): void;
  remove(thing: Thing): void;
  /** Of another kind, so that versions grow without a word about ConfigMaps. */
  putNode(name: string): void;
  /** The server forgets all changes so far. */
  forget(): void;
  /** Open watches bring nothing from now on. */
  deafen(): void;
  /** Nothing is answered from now on, and what is open breaks. */
  breakDown(): void;
  /** All is well again. */
  recover(): void;
}
