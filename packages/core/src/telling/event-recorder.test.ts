// Events say each thing once, count what repeats, and are no flood however large the cluster is.
import { describe, expect, it } from 'vitest';
import type { EventWrite, NodeEvent, PublishedEvent } from '../takeover/cluster.ts';
import { endlessTerm } from '../testing/dead-node.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { EventRecorder } from './event-recorder.ts';
import type { OmittedEvents } from './omissions.ts';

const held = (message: string, node = 'node-1'): NodeEvent => ({
  type: 'Warning',
  reason: 'TakeoverHeld',
  message,
  node: { name: node, uid: `uid-${node}` },
});

/** An API server that takes its time. */
class Server {
  readonly clock: ManualClock = new ManualClock({ turns: 2 });
  readonly term = endlessTerm(this.clock, 1);
  readonly writes: { readonly at: number; readonly event: NodeEvent; readonly write: EventWrite }[] = [];
  readonly omitted: OmittedEvents[] = [];
  readonly errors: unknown[] = [];
  answersAfterMs = 20;
  fails: () => boolean = () => false;
  underWay = 0;
  most = 0;
  readonly recorder: EventRecorder = new EventRecorder({
    cluster: { publishEvent: (_term, event, write) => this.#take(event, write ?? {}) },
    clock: this.clock,
    term: this.term,
    onError: (error) => this.errors.push(error),
    onOmitted: (omitted) => this.omitted.push(omitted),
  });

  async #take(event: NodeEvent, write: EventWrite): Promise<PublishedEvent> {
    this.writes.push({ at: this.clock.now(), event, write });
    this.underWay += 1;
    this.most = Math.max(this.most, this.underWay);
    await new Promise<void>((resolve) => {
      this.clock.setTimeout(resolve, this.answersAfterMs);
    });
    this.underWay -= 1;
    if (this.fails()) throw new Error('no');
    return write.earlier ?? { name: `event-${this.writes.length}` };
  }

  get created(): readonly string[] {
    return this.writes.filter(({ write }) => write.earlier === undefined).map(({ event }) => event.message);
  }

  get patched(): readonly (number | undefined)[] {
    return this.writes.filter(({ write }) => write.earlier !== undefined).map(({ write }) => write.count);
  }
}

describe('the recorder of Events', () => {
  it('says a thing once, and counts it up where it stands when it is said again', async () => {
    const server = new Server();
    for (let left = 3_600; left > 3_480; left--) {
      server.recorder.publish(held(`held for at most ${left} s more`));
      await server.clock.advance(1_000);
    }
    await server.clock.advance(60_000);
    expect(server.created).toEqual(['held for at most 3600 s more']);
    expect(server.patched.at(-1)).toBe(120);
    expect(server.patched.length).toBeLessThanOrEqual(5);
    expect(server.writes.at(-1)?.event.message).toBe('held for at most 3481 s more');
    expect(server.omitted).toEqual([]);
  });

  it('says it anew when it changed, and of each node by itself', async () => {
    const server = new Server();
    for (const message of ['waits for pod a/db-0', 'waits for pod a/db-1'])
      server.recorder.publish(held(message));
    server.recorder.publish(held('waits for pod a/db-0', 'node-2'));
    await server.clock.advance(1_000);
    expect(server.created).toHaveLength(3);
  });

  it('has a few requests under way when hundreds of nodes die at once, and tells of all of them', async () => {
    const server = new Server();
    for (let i = 0; i < 334; i++) server.recorder.publish(held('the budget is spent', `node-${i}`));
    await server.clock.advance(1_000);
    const inTheFirstSecond = server.writes.length;
    await server.clock.advance(60_000);
    expect(server.most).toBeLessThanOrEqual(4);
    expect(inTheFirstSecond).toBeLessThanOrEqual(31);
    expect(new Set(server.writes.map(({ event }) => event.node.name)).size).toBe(334);
    expect(server.omitted).toEqual([]);
  });

  it('leaves out what is too much about one node, as client-go does, and sums up what it left out', async () => {
    const server = new Server();
    for (let i = 0; i < 240; i++) {
      server.recorder.publish(held(`trouble-${i}`));
      await server.clock.advance(500);
    }
    expect(server.created).toHaveLength(25);
    await server.clock.advance(60_000);
    expect(server.omitted.length).toBeLessThanOrEqual(4);
    expect(server.omitted.reduce((sum, { count }) => sum + count, 0)).toBe(215);
    expect(server.omitted[0]).toEqual({
      count: 1,
      nodes: 1,
      causes: { 'node-limit': 1, full: 0, failed: 0 },
    });
    // Five minutes later there is room for one more.
    await server.clock.advance(240_000);
    server.recorder.publish(held('at last'));
    await server.clock.advance(1_000);
    expect(server.created.at(-1)).toBe('at last');
  });

  it('leaves out what is too much of all nodes together, and sums it up', async () => {
    const server = new Server();
    for (let i = 0; i < 5_000; i++) server.recorder.publish(held('dark', `node-${i}`));
    await server.clock.advance(600_000);
    const told = server.writes.length;
    expect(told).toBeGreaterThanOrEqual(1_000);
    expect(told + server.omitted.reduce((sum, { count }) => sum + count, 0)).toBe(5_000);
    expect(server.omitted.length).toBeLessThan(10);
  });

  it('has few requests for a storm of 750 takeovers, whatever it leaves out is counted, and no warning is', async () => {
    const server = new Server();
    const of = (type: NodeEvent['type'], reason: NodeEvent['reason'], i: number): NodeEvent => ({
      ...held(reason, `node-${i}`),
      type,
      reason,
    });
    for (let i = 0; i < 750; i++) {
      server.recorder.publish(of('Normal', 'NodeReleased', i));
      server.recorder.publish(of('Normal', 'NodeRemoved', i));
      server.recorder.publish(of('Normal', 'TakeoverVerified', i));
      server.recorder.publish(of('Warning', 'TakeoverStarted', i));
      await server.clock.advance(80);
    }
    expect(server.writes.length).toBeLessThanOrEqual(20 + 10 * 60 + 1);
    expect(server.most).toBeLessThanOrEqual(4);
    await server.clock.advance(600_000);
    const told = server.writes.map(({ event }) => event.type);
    expect(told.filter((type) => type === 'Warning')).toHaveLength(750);
    expect(told.length + server.omitted.reduce((sum, { count }) => sum + count, 0)).toBe(3_000);
    expect(server.omitted.length).toBeLessThan(10);
  });

  it('tries again when there is no answer, and then says that it failed', async () => {
    const server = new Server();
    let failures = 2;
    server.fails = () => failures-- > 0;
    server.recorder.publish(held('it is so'));
    await server.clock.advance(10_000);
    expect(server.writes).toHaveLength(3);
    expect(server.omitted).toEqual([]);
    server.fails = () => true;
    server.recorder.publish(held('it is otherwise'));
    await server.clock.advance(10_000);
    expect(server.errors).toHaveLength(5);
    expect(server.omitted).toMatchObject([{ count: 1, causes: { failed: 1 } }]);
    // Not taken for said.
    server.fails = () => false;
    server.recorder.publish(held('it is otherwise'));
    await server.clock.advance(10_000);
    expect(server.created.at(-1)).toBe('it is otherwise');
  });

  it('keeps a count that waits for the server to answer', async () => {
    const server = new Server();
    server.answersAfterMs = 5_000;
    for (let i = 0; i < 10; i++) server.recorder.publish(held('again'));
    await server.clock.advance(60_000);
    expect(server.created).toHaveLength(1);
    expect(server.patched).toEqual([10]);
  });

  it('says nothing any more once its term is over, and leaves no timer behind', async () => {
    const server = new Server();
    server.answersAfterMs = 0;
    for (let i = 0; i < 100; i++) server.recorder.publish(held('dark', `node-${i}`));
    server.term.end('over');
    await server.clock.advance(0);
    const then = server.writes.length;
    server.recorder.publish(held('later'));
    await server.clock.advance(60_000);
    expect(server.writes).toHaveLength(then);
    expect(server.clock.pendingTimers).toBe(0);
  });
});
