// Asks one fencer once to take its fence back: with the same patience and the same care as for the fence itself.
import { type Asking, askFencer } from './ask-fencer.ts';
import type { FenceRefusal } from './fence-context.ts';
import type { FenceTarget } from './fence-target.ts';
import type { FenceResult, Fencer, UnfenceResult } from './fencer.ts';

/** What came of it. */
export interface AskedBack {
  readonly result: UnfenceResult;
  /** Why it was not allowed to act, if it asked and wasn't. */
  readonly refusal: FenceRefusal | undefined;
}

/** Rejects only when the term ended. A fencer that can't take its fence back has failed for good. */
export async function askUnfence(fencer: Fencer, target: FenceTarget, asking: Asking): Promise<AskedBack> {
  if (fencer.unfence === undefined) {
    const detail = `${fencer.name} can't take its fence back`;
    return { result: { outcome: 'failed', detail, permanent: true }, refusal: undefined };
  }
  const { name, timeoutMs } = fencer;
  const asker: Fencer = {
    name,
    ...(timeoutMs !== undefined && { timeoutMs }),
    fence: async (...args) => asFence(await fencer.unfence?.(...args)),
  };
  const { result, refusal } = await askFencer(asker, target, asking);
  const { outcome, detail } = result;
  return { result: outcome === 'fenced' ? { outcome: 'unfenced', detail } : result, refusal };
}

/** What answers the one question is no answer to the other. */
function asFence(answer: UnfenceResult | undefined): FenceResult {
  if (answer?.outcome === 'unfenced') return { outcome: 'fenced', proof: 'none', detail: answer.detail };
  if (answer?.outcome === 'waiting' || answer?.outcome === 'failed') return answer;
  return {
    outcome: 'failed',
    detail: 'a bug in the driver: it answered none of unfenced, waiting and failed',
  };
}
