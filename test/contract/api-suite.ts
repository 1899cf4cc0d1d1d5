// How a Kubernetes API behaves, as far as this project leans on it: one text, held against the simulator and the real thing.
import { afterAll, beforeAll, describe } from 'vitest';
import { describeDeletion } from './api-deletion.ts';
import { describeDisruption } from './api-disruption.ts';
import { ApiFixture } from './api-fixture.ts';
import { describeForgetting } from './api-forgetting.ts';
import { describeKinds } from './api-kinds.ts';
import { describeLists } from './api-lists.ts';
import { describeObjects } from './api-objects.ts';
import { describePatches } from './api-patches.ts';
import { describeServer } from './api-server.ts';
import { describeSubresources } from './api-subresources.ts';
import { describeWatches } from './api-watches.ts';
import { describeWorkloads } from './api-workloads.ts';
import type { ApiTarget } from './target.ts';

/** Declares the tests; `start` is called once, before the first of them. */
export function describeApi(name: string, start: () => Promise<ApiTarget>): void {
  describe(`the API, ${name}`, () => {
    let fixture: ApiFixture | undefined;

    beforeAll(async () => {
      fixture = new ApiFixture(await start());
    });
    afterAll(async () => {
      await fixture?.close();
    });

    const get = (): ApiFixture => {
      if (fixture === undefined)
        throw new Error('expected a started target, found none: look at what beforeAll says');
      return fixture;
    };
    describeServer(get);
    describeObjects(get);
    describeKinds(get);
    describeWorkloads(get);
    describeDeletion(get);
    describePatches(get);
    describeSubresources(get);
    describeDisruption(get);
    describeLists(get);
    describeWatches(get);
    // Last, as it is hard on whoever else watches.
    describeForgetting(get);
  });
}
