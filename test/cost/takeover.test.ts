// What one takeover asks of the API server: for a storm of them it is this, times as many.
import { describe, expect, it } from 'vitest';
import { costOfTakeover, sumOf, tableOf } from './one-takeover.ts';

describe('a takeover of a node with two StatefulSet pods, each with a volume', () => {
  it.each(['none', 'manual'] as const)('costs at most 25 requests, fenced by %s', async (fencer) => {
    const { requests, record, durationMs } = await costOfTakeover({ fencer, node: 'delete', pods: 2 });
    console.log(`${fencer}: ${durationMs} ms\n${tableOf(requests)}`);
    expect(record.result).toBe('recovered');
    expect(sumOf(requests), tableOf(requests)).toBeLessThanOrEqual(25);
  });
});
