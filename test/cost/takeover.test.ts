// What one takeover asks of the API server: for a storm of them it is this, times as many.
import { describe, expect, it } from 'vitest';
import { costOfTakeover, sumOf, tableOf } from './one-takeover.ts';

describe('a takeover of a node with two StatefulSet pods, each with a volume', () => {
  it.each([
    { fencer: 'none', lettingGo: 'at-once', most: 25 },
    { fencer: 'none', lettingGo: 'waited-for', most: 39 },
    { fencer: 'manual', lettingGo: 'at-once', most: 29 },
    { fencer: 'manual', lettingGo: 'waited-for', most: 42 },
  ] as const)(
    'costs at most $most requests, fenced by $fencer, with pods and volumes $lettingGo',
    async ({ most, ...story }) => {
      const { requests, record, durationMs } = await costOfTakeover({ ...story, node: 'delete', pods: 2 });
      expect(record.result).toBe('recovered');
      // A human takes the time that it takes until they are asked again.
      if (story.lettingGo === 'at-once')
        expect(durationMs).toBeLessThanOrEqual(story.fencer === 'none' ? 500 : 2_500);
      expect(sumOf(requests), tableOf(requests)).toBeLessThanOrEqual(most);
    },
  );
});
