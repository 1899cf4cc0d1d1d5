// A journal replayed: by the rules of the time it comes to what its replica came to, by others to what these would have done.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultSightRules } from './evidence/sight.ts';
import { type JournalEntry, type JournalHead, journalHeadLine, journalLine } from './journal-format.ts';
import { readJournalHead, readJournalLine } from './journal-reading.ts';
import { journalSnapshot } from './journal-snapshot.ts';
import { builtInGuards } from './policy/decision.ts';
import type { Policy } from './policy/policy.ts';
import { Replay, type ReplayEvent, type ReplayRules, worldOf } from './replay.ts';
import { type Replica, World } from './testing/controller-world.ts';
import { anyNode, nodeNamed } from './testing/fleet-objects.ts';
import { step } from './world.ts';
import { type Fact, type World as KnownWorld, newWorld } from './world-state.ts';

/** A journal as text, line by line. */
class Journal {
  readonly lines: string[] = [];
  readonly replica: Replica;
  /** What the replica told, in the words of a replay. */
  readonly told: string[] = [];

  constructor(world: World, options: ConstructorParameters<typeof Replica>[2] = {}) {
    this.replica = world.replica('a', {
      ...options,
      onFact: (fact, at) => this.lines.push(journalLine({ kind: 'fact', at, fact })),
    });
    const { controller } = this.replica;
    this.lines.push(journalHeadLine(controller.journalHead({ program: 'test', part: 1 })));
    const at = (): number => world.clock.now();
    controller.on('health', ({ node, to }) => this.told.push(`${at()} ${node} is ${to}`));
    controller.on('sight', ({ blind }) => this.told.push(`${at()} blind: ${blind.join('; ')}`));
    controller.on('decision', ({ node, decision }) => {
      const holds = decision.verdicts.flatMap(({ guard, verdict }) =>
        verdict.outcome === 'hold' ? [`${guard}: ${verdict.reason}`] : [],
      );
      this.told.push(`${at()} ${node}: ${decision.action} ${holds.join('; ')}`);
    });
  }

  /** As a file that is begun now would be. */
  begunNow(part: number): string[] {
    const { controller } = this.replica;
    const lines = [journalHeadLine(controller.journalHead({ program: 'test', part }))];
    for (const entry of controller.journalSnapshot()) lines.push(journalLine(entry));
    return lines;
  }
}

function replayed(files: readonly (readonly string[])[], rules?: ReplayRules): readonly ReplayEvent[] {
  const replay = new Replay(rules);
  return files.flatMap(([head = '', ...lines]) => [
    ...replay.begin(readJournalHead(head)),
    ...lines.flatMap((line) => replay.feed(readJournalLine(line))),
  ]);
}

/** In the words of {@link Journal.told}. */
function inWords(events: readonly ReplayEvent[]): readonly string[] {
  return events.flatMap((event) => {
    if (event.kind === 'health') return [`${event.at} ${event.node} is ${event.to}`];
    if (event.kind === 'sight') return [`${event.at} blind: ${event.blind.join('; ')}`];
    if (event.kind !== 'decision') return [];
    const holds = event.holds.map(({ guard, reason }) => `${guard}: ${reason}`);
    return [`${event.at} ${event.node}: ${event.action} ${holds.join('; ')}`];
  });
}

const takenOver = (events: readonly ReplayEvent[]): readonly string[] =>
  events.flatMap((event) => (event.kind === 'takeover' ? [event.node] : []));

/** A node dies and is taken over; another dies, and its host answers again. */
async function story(options?: ConstructorParameters<typeof Replica>[2]) {
  const world = new World();
  const journal = new Journal(world, options);
  journal.replica.run();
  await world.pass(30);
  world.dead.add('node-1');
  await world.pass(60);
  world.dead.add('node-2');
  await world.pass(40);
  world.dead.delete('node-2');
  await world.pass(20);
  return { world, journal };
}

describe('a journal replayed by the rules of the time', () => {
  it('comes to what its replica came to, at the same moments', async () => {
    const { journal } = await story();
    const events = replayed([journal.lines]);
    expect(journal.told.length).toBeGreaterThan(6);
    expect(inWords(events)).toEqual(journal.told);
    expect(takenOver(events)[0]).toBe('node-1');
  });

  it('comes to the same each time', async () => {
    const { journal } = await story();
    expect(JSON.stringify(replayed([journal.lines]))).toBe(JSON.stringify(replayed([journal.lines])));
  });

  it('goes on from file to file, and by itself from any of them', async () => {
    const world = new World();
    const journal = new Journal(world);
    journal.replica.run();
    await world.pass(30);
    world.dead.add('node-1');
    for (const seconds of [5, 20, 2, 30]) {
      await world.pass(seconds);
      const cut = journal.lines.length;
      const second = journal.begunNow(2);
      const told = journal.told.length;
      await world.pass(15);
      const first = journal.lines.slice(0, cut);
      const files = [first, [...second, ...journal.lines.slice(cut)]] as const;
      expect(inWords(replayed(files))).toEqual(journal.told);
      // What holds is told once more, since nobody has read it in this file.
      const alone = inWords(replayed([files[1]]));
      const later = journal.told.slice(told);
      expect(alone.filter((line) => later.includes(line))).toEqual(later);
      expect(alone.filter((line) => / is dead$/.test(line))).toEqual(
        later.filter((line) => / is dead$/.test(line)),
      );
    }
  });

  it('says where facts are missing, and goes on with what was known after them', async () => {
    const world = new World();
    const journal = new Journal(world);
    journal.replica.run();
    await world.pass(30);
    const cut = journal.lines.length;
    world.dead.add('node-1');
    await world.pass(10);
    const missing = journal.lines.splice(cut).length;
    journal.lines.push(journalLine({ kind: 'gap', at: world.clock.now(), facts: missing }));
    journal.lines.push(...journal.begunNow(2).slice(1));
    await world.pass(40);
    const events = replayed([journal.lines]);
    expect(events.filter(({ kind }) => kind === 'gap')).toMatchObject([{ facts: missing }]);
    expect(takenOver(events)).toEqual(['node-1']);
    const dead = / node-1 is dead/;
    expect(inWords(events).filter((line) => dead.test(line))).toEqual(
      journal.told.filter((line) => dead.test(line)),
    );
  });
});

describe('a journal replayed by other rules', () => {
  const stricter: Policy = { ...anyNode, evidence: 'proven' };

  it('that are the same comes to the same', async () => {
    const { journal } = await story();
    expect(inWords(replayed([journal.lines], { policies: [anyNode] }))).toEqual(journal.told);
  });

  it('that ask for more takes over nobody, and the Node that was deleted stays dead', async () => {
    const { journal, world } = await story();
    expect(world.cluster.nodes.has('node-1')).toBe(false);
    const events = replayed([journal.lines], { policies: [stricter] });
    expect(takenOver(events)).toEqual([]);
    const decisions = events.filter((event) => event.kind === 'decision' && event.node === 'node-1');
    expect(decisions.at(-1)).toMatchObject({ action: 'hold', holds: [{ guard: 'evidence' }] });
    const replay = new Replay({ policies: [stricter] });
    const [head = '', ...lines] = journal.lines;
    replay.begin(readJournalHead(head));
    for (const line of lines) {
      replay.feed(readJournalLine(line));
      expect(worldOf(replay)?.term?.work.size ?? 0).toBe(0);
    }
    const left = worldOf(replay)?.ledger.nodes.get('node-1');
    expect(left?.health).toBe('dead');
    expect(JSON.stringify(left?.node.spec)).not.toContain('liberator.dev');
    expect(JSON.stringify(left?.node.spec)).not.toContain('out-of-service');
    expect(worldOf(replay)?.term?.records.stored.size).toBe(0);
    expect(worldOf(replay)?.term?.work.size).toBe(0);
  });

  it('that take longer takes over later, and what was really done counts from then', async () => {
    const { journal } = await story();
    const longer: Policy = {
      ...anyNode,
      detection: { ...anyNode.detection, deadAfterMs: 45_000 } as Policy['detection'],
    };
    const replay = new Replay({ policies: [longer] });
    const [head = '', ...lines] = journal.lines;
    replay.begin(readJournalHead(head));
    const began = (events: readonly ReplayEvent[]) =>
      events.find((event) => event.kind === 'takeover' && event.node === 'node-1')?.at ?? 0;
    let at = 0;
    let seen = false;
    for (const line of lines) {
      const before = at;
      at ||= began(replay.feed(readJournalLine(line)));
      const isThere = worldOf(replay)?.ledger.nodes.has('node-1') === true;
      seen ||= isThere;
      if (seen && before === 0) expect(isThere).toBe(at === 0);
    }
    expect(at - began(replayed([journal.lines]))).toBeGreaterThanOrEqual(15_000);
    const records = [...(worldOf(replay)?.term?.records.stored.values() ?? [])];
    expect(records[0]?.record).toMatchObject({ node: { name: 'node-1' }, result: 'recovered' });
    expect(worldOf(replay)?.ledger.nodes.has('node-1')).toBe(false);
  });

  it('that are looser takes over whom the replica held, once, until that one is back', async () => {
    const { journal, world } = await story({ policies: [stricter] });
    expect(world.cluster.destroyed).toEqual([]);
    const events = replayed([journal.lines], { policies: [anyNode] });
    expect(takenOver(events)).toEqual(['node-1', 'node-2']);
    const last = events.filter((event) => event.kind === 'health' && event.node === 'node-2').at(-1);
    expect(last).toMatchObject({ to: 'alive' });
  });

  it('counts what it would have taken over towards its own budget', async () => {
    const { journal } = await story({ policies: [stricter] });
    const one: Policy = { ...anyNode, budget: { maxDead: 1, maxDeadPercent: 100 } };
    const events = replayed([journal.lines], { policies: [one] });
    expect(takenOver(events)).toEqual(['node-1']);
    const held = events.find((event) => event.kind === 'decision' && event.node === 'node-2');
    expect(held).toMatchObject({ action: 'hold', holds: [{ guard: 'budget' }] });
  });
});

const names = ['a', 'b', 'c', 'd'];
const someName = fc.constantFrom(...names);
const someFact: fc.Arbitrary<Fact> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('lease' as const),
      name: someName,
      renewTime: fc.nat(50).map(String),
    }),
  },
  { weight: 6, arbitrary: fc.constant<Fact>({ kind: 'wake' }) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(someName, fc.constantFrom('True' as const, 'Unknown' as const, 'absent' as const), fc.boolean())
      .map(
        ([name, ready, paused]): Fact => ({
          kind: 'node',
          node: nodeNamed(name, {
            ready,
            annotations: { secret: 'x', ...(paused && { 'liberator.dev/paused': 'work' }) },
          }),
        }),
      ),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(someName, fc.constantFrom('answered' as const, 'silent' as const, 'refused' as const))
      .map(([name, result]): Fact => ({ kind: 'probe', name, uid: `uid-${name}`, result })),
  },
  { weight: 1, arbitrary: someName.map((name): Fact => ({ kind: 'node-gone', name })) },
  { weight: 1, arbitrary: someName.map((name): Fact => ({ kind: 'lease-gone', name })) },
  { weight: 1, arbitrary: fc.boolean().map((synced): Fact => ({ kind: 'watches', synced, stale: [] })) },
  { weight: 1, arbitrary: fc.constant<Fact>({ kind: 'stalled', forMs: 900.5 }) },
  { weight: 2, arbitrary: fc.constant<Fact>({ kind: 'unread', what: [] }) },
);
/**
 * With their times. At first all is well; then `a` falls silent while the others renew their Leases, and whatever is drawn comes
 * in between.
 */
const someFacts = fc
  .array(fc.tuple(someFact, fc.constantFrom(0, 100.25, 500, 2_500)), { minLength: 20, maxLength: 60 })
  .map((drawn) => {
    const begun: Fact[] = [
      ...names.map((name): Fact => ({ kind: 'node', node: nodeNamed(name) })),
      ...names.map((name): Fact => ({ kind: 'lease', name, renewTime: '0', listed: true })),
      ...names.map((name): Fact => ({ kind: 'lease', name, renewTime: '1' })),
      { kind: 'watches', synced: true, stale: [] },
      { kind: 'term', epoch: 1 },
      { kind: 'wake' },
    ];
    const facts = begun.map((fact): readonly [Fact, number] => [fact, 1]);
    let at = 1;
    for (const [index, [fact, passes]] of drawn.entries()) {
      at += passes;
      facts.push([fact, at]);
      at += 2_000;
      const others = names.slice(1).map((name): Fact => ({ kind: 'lease', name, renewTime: `t${index}` }));
      const round: readonly Fact[] = [
        ...others,
        { kind: 'probe', name: 'a', uid: 'uid-a', result: index === 0 ? 'answered' : 'silent' },
        { kind: 'echo', sentAt: at },
        { kind: 'wake' },
      ];
      facts.push(...round.map((one) => [one, at] as const));
    }
    return facts;
  });

const rules = { policies: [anyNode], guards: builtInGuards, sight: defaultSightRules };

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const one of Object.values(value)) frozen(one);
  }
  return value;
}

const headOf = (at: number, part: number): JournalHead => ({
  liberator: 'journal',
  version: 1,
  program: 'test',
  identity: 'a',
  part,
  at,
  wall: '2026-01-01T00:00:00.000Z',
  since: 0,
  mode: 'act',
  policies: [anyNode],
  sight: defaultSightRules,
  guards: builtInGuards.map(({ name }) => name),
});

const snapshot = (world: KnownWorld): readonly unknown[] =>
  [...journalSnapshot(world, 0)].map((entry): unknown => JSON.parse(journalLine(entry)));

describe('any facts', () => {
  it('come to the same as lines of a journal, and change nothing that was before', () => {
    let begun = 0;
    fc.assert(
      fc.property(someFacts, (facts) => {
        let world = newWorld(rules, 0);
        const expected: string[] = [];
        const replay = new Replay();
        replay.begin(headOf(0, 1));
        const seen: string[] = [];
        for (const [fact, at] of facts) {
          const before = snapshot(world);
          const { world: next, intents } = step(world, frozen(fact), at);
          expect(snapshot(world)).toEqual(before);
          world = next;
          for (const intent of intents) {
            if (intent.kind === 'health') expected.push(`${at} ${intent.change.node} is ${intent.change.to}`);
            if (intent.kind === 'sight') expected.push(`${at} blind: ${intent.blind.join('; ')}`);
            if (intent.kind === 'take-over') expected.push(`${at} takes over ${intent.node.deathId}`);
          }
          const entry: JournalEntry = { kind: 'fact', at, fact };
          for (const event of replay.feed(readJournalLine(journalLine(entry)))) {
            if (event.kind === 'takeover') seen.push(`${event.at} takes over ${event.deathId}`);
            else if (event.kind !== 'decision') seen.push(...inWords([event]));
          }
        }
        begun += expected.filter((line) => line.includes('takes over')).length;
        expect(seen).toEqual(expected);
        expect(snapshot(worldOf(replay) ?? newWorld(rules, 0))).toEqual(snapshot(world));
      }),
      { numRuns: 20 },
    );
    expect(begun).toBeGreaterThan(0);
  });

  it('leave a world that can be put together again from what is known of it', () => {
    fc.assert(
      fc.property(someFacts, (facts) => {
        let world = newWorld(rules, 0);
        for (const [fact, at] of facts) ({ world } = step(world, fact, at));
        const replay = new Replay();
        replay.begin(headOf(0, 2));
        for (const entry of journalSnapshot(world, 0)) replay.feed(readJournalLine(journalLine(entry)));
        expect(snapshot(worldOf(replay) ?? newWorld(rules, 0))).toEqual(snapshot(world));
      }),
      { numRuns: 40 },
    );
  });
});
