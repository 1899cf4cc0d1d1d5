// A fencer of your own: a switched power strip with a small HTTP API, as many racks have one.
import type { FenceResult, Fencer } from '@liberator/core';

export interface PowerSwitchOptions {
  /** Of the strip: `http://127.0.0.1:8080`. */
  readonly url: string;
  /** For one request, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number;
}

/** Long enough for the strip's relays. */
const retryAfterMs = 1_000;

/**
 * Cuts a machine's power, and vouches for it only once the strip itself says that the outlet is off: an order that was
 * accepted proves nothing.
 *
 * Right before the one request that harms it asks whether it still may, however short a time ago it was called. Asked
 * twice, it orders nothing twice: the strip is looked at first. What can't be reached is a result, not an error, and the
 * takeover waits, for as long as the policy wants proof.
 */
export function powerSwitch({ url, timeoutMs = 5_000 }: PowerSwitchOptions): Fencer {
  const ask = async (method: 'GET' | 'POST', path: string, signal: AbortSignal): Promise<Response> => {
    const response = await fetch(new URL(path, url), {
      method,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    if (!response.ok) throw new Error(`the power strip answered ${response.status} to ${method} ${path}`);
    return response;
  };
  return {
    name: 'power-switch',
    async fence({ name }, { signal, permit }): Promise<FenceResult> {
      const outlet = `/outlets/${encodeURIComponent(name)}`;
      try {
        const { power } = (await (await ask('GET', outlet, signal)).json()) as { power: 'on' | 'off' };
        if (power === 'off') {
          return { outcome: 'fenced', proof: 'powered-off', detail: `the outlet ${outlet} is off` };
        }
        // The strip may have thought for long, and the node may be back by now.
        const permitted = await permit();
        if (permitted.outcome === 'refused') {
          return { outcome: 'failed', detail: `not switched off: ${permitted.detail}` };
        }
        await ask('POST', `${outlet}/off`, signal);
        return { outcome: 'waiting', detail: `the outlet ${outlet} was told to go off`, retryAfterMs };
      } catch (error) {
        return { outcome: 'failed', detail: error instanceof Error ? error.message : String(error) };
      }
    },
  };
}
