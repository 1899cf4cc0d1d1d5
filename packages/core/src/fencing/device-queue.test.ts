import { describe, expect, it } from 'vitest';
import { DeviceQueue } from './device-queue.ts';

const who = (id: string) => ({ id, node: `node-${id}` });

async function isTurn(queue: DeviceQueue, id: string): Promise<boolean> {
  const turn = queue.turnOf(id);
  if (turn?.outcome !== 'busy') return turn?.outcome === 'granted';
  return Promise.race([turn.turn.then(() => true), Promise.resolve(false)]);
}

describe('a queue before a device', () => {
  it('lets in as many as it bears, in the order in which they asked', async () => {
    const queue = new DeviceQueue();
    const outcomes = ['1', '2', '3', '4'].map((id) => queue.ask('pdu', 2, who(id)).outcome);
    expect(outcomes).toEqual(['granted', 'granted', 'busy', 'busy']);
    // Who asks again keeps its place.
    expect(queue.ask('pdu', 2, who('4'))).toMatchObject({ with: ['node-1', 'node-2'], before: 1 });
    expect(queue.ask('pdu', 2, who('3'))).toMatchObject({ with: ['node-1', 'node-2'], before: 0 });
    queue.leave('2');
    expect([await isTurn(queue, '3'), await isTurn(queue, '4')]).toEqual([true, false]);
    queue.leave('3');
    expect(queue.ask('pdu', 2, who('4')).outcome).toBe('granted');
  });

  it('wakes whoever has its turn, and nobody who left', async () => {
    const queue = new DeviceQueue();
    queue.ask('pdu', 1, who('1'));
    const [second, third] = ['2', '3'].map((id) => queue.ask('pdu', 1, who(id)));
    const woken: string[] = [];
    if (second?.outcome === 'busy') second.turn.then(() => woken.push('2'));
    if (third?.outcome === 'busy') third.turn.then(() => woken.push('3'));
    queue.leave('2');
    queue.leave('1');
    await Promise.resolve();
    expect(woken).toEqual(['3']);
  });

  it('bears no more than the least that anybody says of it, and takes nobody’s turn away', () => {
    const queue = new DeviceQueue();
    expect(queue.ask('pdu', 3, who('1')).outcome).toBe('granted');
    expect(queue.ask('pdu', 3, who('2')).outcome).toBe('granted');
    expect(queue.ask('pdu', 1, who('3')).outcome).toBe('busy');
    expect(queue.ask('pdu', 3, who('4')).outcome).toBe('busy');
    expect(queue.ask('pdu', 3, who('2')).outcome).toBe('granted');
    queue.leave('1');
    expect(queue.ask('pdu', 1, who('3')).outcome).toBe('busy');
    queue.leave('2');
    expect(queue.ask('pdu', 1, who('3')).outcome).toBe('granted');
    expect(queue.ask('pdu', 3, who('4')).outcome).toBe('busy');
  });

  it('keeps devices apart, and lets go of one when another is asked for', () => {
    const queue = new DeviceQueue();
    queue.ask('pdu', 1, who('1'));
    expect(queue.ask('chassis', 1, who('2')).outcome).toBe('granted');
    expect(queue.ask('pdu', 1, who('3')).outcome).toBe('busy');
    expect(queue.ask('bmc', 1, who('1')).outcome).toBe('granted');
    expect(queue.turnOf('3')?.outcome).toBe('granted');
  });

  it('is none the wiser for whoever leaves without having asked', () => {
    const queue = new DeviceQueue();
    queue.leave('1');
    expect(queue.turnOf('1')).toBeUndefined();
    queue.ask('pdu', 1, who('1'));
    queue.leave('1');
    queue.leave('1');
    expect(queue.turnOf('1')).toBeUndefined();
    expect(queue.ask('pdu', 1, who('2')).outcome).toBe('granted');
  });
});

describe('a device that is lent to whoever only looks', () => {
  it('is so to no more at once than it bears, by the least that anybody says of it', () => {
    const queue = new DeviceQueue();
    const giveBack = queue.lend('pdu', 2, () => {});
    expect([queue.mayLend('pdu', 2), queue.mayLend('pdu', 1), queue.mayLend('other', 1)]).toEqual([
      true,
      false,
      true,
    ]);
    queue.lend('pdu', 2, () => {});
    expect(queue.mayLend('pdu', 9)).toBe(false);
    giveBack();
    giveBack();
    expect(queue.mayLend('pdu', 2)).toBe(true);
  });

  it('is called back as soon as somebody needs it, who does not wait for that', () => {
    const queue = new DeviceQueue();
    const called: string[] = [];
    const giveBack = queue.lend('pdu', 1, () => called.push('pdu'));
    queue.lend('other', 1, () => called.push('other'));
    expect(queue.ask('pdu', 1, who('1')).outcome).toBe('granted');
    expect(called).toEqual(['pdu']);
    giveBack();
    expect(queue.mayLend('pdu', 1)).toBe(false);
    queue.leave('1');
    expect(queue.mayLend('pdu', 1)).toBe(true);
  });
});
