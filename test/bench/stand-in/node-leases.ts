// The heartbeats of all kubelets, as bytes that are made once: a renewal overwrites a version and two times in place, so that
// hundreds a second cost the stand-in next to nothing, however many clients watch.
import { uidFor } from './objects.ts';

const apiVersion = 'coordination.k8s.io/v1';
/** Always ten digits, so that the next version has room where the last one stood. */
const firstVersion = 1_000_000_000;
/** How long the past is kept for watches that come back: as long as etcd keeps it by default. */
const keptMs = 300_000;
/** The watch cache of a real API server sends one about as often. */
const bookmarkEveryMs = 60_000;
/** A client that takes nothing is left behind, as a real API server does. */
const longestBacklogBytes = 256 * 1024 * 1024;

/** Where a watch writes to. */
export interface WatchSink {
  write(chunk: Buffer): unknown;
  end(): unknown;
  readonly writableLength: number;
}

interface Watcher {
  readonly sink: WatchSink;
  readonly bookmarks: boolean;
  readonly endsAt: number;
  bookmarkAt: number;
}

interface NodeLease {
  readonly name: string;
  /** The whole line of a watch. */
  readonly line: Buffer;
  readonly versionAt: number;
  readonly timesAt: readonly number[];
  readonly renewTimeAt: number;
  version: number;
  dueAt: number;
  /** Its kubelet is gone: nobody renews it any more. */
  silent: boolean;
}

const linePrefix = `{"type":"MODIFIED","object":{"kind":"Lease","apiVersion":"${apiVersion}",`;
const comma = Buffer.from(',');
const open = Buffer.from('{');

export class NodeLeases {
  readonly #leases = new Map<string, NodeLease>();
  /** In the order in which they are due; a renewal goes to the end, since all have the same interval. */
  #queue: NodeLease[] = [];
  #next = 0;
  readonly #watchers = new Set<Watcher>();
  readonly #deleted: { readonly version: number; readonly line: Buffer }[] = [];
  /** By time, which version was the newest: what is older than kept is forgotten. */
  readonly #past: { readonly at: number; readonly version: number }[] = [];
  readonly #renewEveryMs: number;
  #version = firstVersion;
  #forgottenUpTo = firstVersion - 1;
  #timer: NodeJS.Timeout | undefined;
  /** How many renewals there were. */
  renewals = 0;

  constructor(nodes: readonly { readonly name: string; readonly uid: string }[], renewEveryMs: number) {
    this.#renewEveryMs = renewEveryMs;
    const now = performance.now();
    for (const [index, node] of nodes.entries()) {
      const lease = rendered(node, ++this.#version);
      lease.dueAt = now + (renewEveryMs * index) / nodes.length;
      this.#leases.set(node.name, lease);
      this.#queue.push(lease);
    }
  }

  start(): void {
    this.#schedule();
  }

  stop(): void {
    clearTimeout(this.#timer);
    for (const { sink } of this.#watchers) sink.end();
  }

  get version(): number {
    return this.#version;
  }

  /** From now on nobody renews it. */
  silence(name: string): void {
    const lease = this.#leases.get(name);
    if (lease !== undefined) lease.silent = true;
  }

  /** The garbage collector's doing, once a Node is gone. */
  remove(name: string): void {
    const lease = this.#leases.get(name);
    if (lease === undefined) return;
    lease.silent = true;
    this.#leases.delete(name);
    this.#version += 1;
    lease.line.write(String(this.#version), lease.versionAt, 'latin1');
    const line = Buffer.from(lease.line.toString('latin1').replace('MODIFIED', 'DELETED'), 'latin1');
    this.#deleted.push({ version: this.#version, line });
    this.#send(line);
  }

  /** One Lease as a GET answers it; undefined when there is none. */
  get(name: string): Buffer | undefined {
    const line = this.#leases.get(name)?.line;
    return line && Buffer.from(line.subarray('{"type":"MODIFIED","object":'.length, line.length - 2));
  }

  /**
   * A page of the list. Its objects are those of this moment, with the version of the first page: who watches from there gets
   * what has changed since, a second time at worst.
   *
   * @param after - the name behind which the page begins
   */
  list(options: { readonly limit: number; readonly after: string; readonly version: number | undefined }): {
    readonly parts: Buffer[];
    readonly last: string | undefined;
    readonly rest: number;
    readonly version: number;
  } {
    const names = [...this.#leases.keys()].filter((name) => name > options.after);
    const taken = options.limit > 0 ? names.slice(0, options.limit) : names;
    const parts = taken.flatMap((name, at) => {
      const line = this.#leases.get(name)?.line;
      if (line === undefined) return [];
      const item = Buffer.from(line.subarray(linePrefix.length, line.length - 2));
      return at === 0 ? [open, item] : [comma, open, item];
    });
    const rest = names.length - taken.length;
    return {
      parts,
      rest,
      last: rest > 0 ? taken.at(-1) : undefined,
      version: options.version ?? this.#version,
    };
  }

  /** Whether a watch from `version` would miss something. */
  isForgotten(version: number): boolean {
    return version < this.#forgottenUpTo;
  }

  /** Begins a watch: first what has changed since `from`, or everything when that is undefined. Returns how to end it. */
  watch(
    sink: WatchSink,
    options: { readonly from: number | undefined; readonly bookmarks: boolean; readonly timeoutMs: number },
  ): () => void {
    const now = performance.now();
    const { from } = options;
    const missed = [...this.#leases.values()].filter(({ version }) => from === undefined || version > from);
    const gone = from === undefined ? [] : this.#deleted.filter(({ version }) => version > from);
    const lines = [...missed.map(({ version, line }) => ({ version, line })), ...gone];
    lines.sort((a, b) => a.version - b.version);
    for (const { line } of lines) {
      sink.write(from === undefined ? asAdded(line) : Buffer.from(line));
    }
    if (from === undefined && options.bookmarks) sink.write(this.#bookmark(true));
    const watcher: Watcher = {
      sink,
      bookmarks: options.bookmarks,
      endsAt: now + options.timeoutMs,
      bookmarkAt: now + bookmarkEveryMs,
    };
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Woken when the next one is due, not every millisecond: that alone would cost more than all renewals of a small fleet. */
  #schedule(): void {
    const dueAt = this.#queue[this.#next]?.dueAt ?? Number.POSITIVE_INFINITY;
    const delayMs = Math.min(Math.max(dueAt - performance.now(), 1), 100);
    this.#timer = setTimeout(() => {
      this.#tick(performance.now());
      this.#schedule();
    }, delayMs);
  }

  #tick(now: number): void {
    for (;;) {
      const lease = this.#queue[this.#next];
      if (lease === undefined || lease.dueAt > now) break;
      this.#next += 1;
      if (lease.silent) continue;
      lease.dueAt += this.#renewEveryMs;
      this.#queue.push(lease);
      this.#renew(lease);
    }
    if (this.#next > 100_000) {
      this.#queue = this.#queue.slice(this.#next);
      this.#next = 0;
    }
    this.#housekeeping(now);
  }

  #renew(lease: NodeLease): void {
    this.renewals += 1;
    this.#version += 1;
    lease.version = this.#version;
    const now = new Date().toISOString();
    lease.line.write(String(this.#version), lease.versionAt, 'latin1');
    for (const at of lease.timesAt) lease.line.write(now.slice(0, 19), at, 'latin1');
    lease.line.write(now.slice(0, 23), lease.renewTimeAt, 'latin1');
    if (this.#watchers.size > 0) this.#send(Buffer.from(lease.line));
  }

  /** Each event on its own, as a real API server flushes them when no other one waits. */
  #send(line: Buffer): void {
    for (const watcher of this.#watchers) {
      if (watcher.sink.writableLength > longestBacklogBytes) this.#end(watcher);
      else watcher.sink.write(line);
    }
  }

  #housekeeping(now: number): void {
    for (const watcher of this.#watchers) {
      if (now >= watcher.endsAt) this.#end(watcher);
      else if (watcher.bookmarks && now >= watcher.bookmarkAt) {
        watcher.bookmarkAt = now + bookmarkEveryMs;
        watcher.sink.write(this.#bookmark(false));
      }
    }
    const last = this.#past.at(-1);
    if (last === undefined || now - last.at > 1_000) this.#past.push({ at: now, version: this.#version });
    const first = this.#past[0];
    if (first !== undefined && now - first.at > keptMs) {
      this.#forgottenUpTo = first.version;
      this.#past.shift();
      while ((this.#deleted[0]?.version ?? Number.POSITIVE_INFINITY) <= first.version) this.#deleted.shift();
    }
  }

  #end(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    watcher.sink.end();
  }

  #bookmark(initial: boolean): Buffer {
    const annotations = initial ? ',"annotations":{"k8s.io/initial-events-end":"true"}' : '';
    return Buffer.from(
      `{"type":"BOOKMARK","object":{"kind":"Lease","apiVersion":"${apiVersion}",` +
        `"metadata":{"resourceVersion":"${this.#version}"${annotations}},"spec":{}}}\n`,
    );
  }
}

function asAdded(line: Buffer): Buffer {
  return Buffer.from(line.toString('latin1').replace('MODIFIED', 'ADDED'), 'latin1');
}

function rendered(
  { name, uid }: { readonly name: string; readonly uid: string },
  version: number,
): NodeLease {
  const now = new Date().toISOString();
  const seconds = `${now.slice(0, 19)}Z`;
  const owned = JSON.stringify(`k:{"uid":"${uid}"}`);
  const text =
    `${linePrefix}"metadata":{"name":"${name}","namespace":"kube-node-lease",` +
    `"uid":"${uidFor('lease', uid)}","resourceVersion":"${version}",` +
    `"creationTimestamp":"2026-01-05T08:00:00Z",` +
    `"ownerReferences":[{"apiVersion":"v1","kind":"Node","name":"${name}","uid":"${uid}"}],` +
    `"managedFields":[{"manager":"kubelet","operation":"Update","apiVersion":"${apiVersion}","time":"${seconds}",` +
    `"fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:ownerReferences":{".":{},${owned}:{}}},` +
    `"f:spec":{"f:holderIdentity":{},"f:leaseDurationSeconds":{},"f:renewTime":{}}}}]},` +
    `"spec":{"holderIdentity":"${name}","leaseDurationSeconds":40,"renewTime":"${now.slice(0, 23)}000Z"}}}\n`;
  return {
    name,
    version,
    line: Buffer.from(text, 'latin1'),
    versionAt: text.indexOf('"resourceVersion":"') + '"resourceVersion":"'.length,
    timesAt: [text.indexOf('"time":"') + '"time":"'.length],
    renewTimeAt: text.indexOf('"renewTime":"') + '"renewTime":"'.length,
    dueAt: 0,
    silent: false,
  };
}
