// A fencer of your own: a switched power strip with a small HTTP API, as many racks have one.
import type { FenceCheck, FenceResult, Fencer } from '@liberator/core';

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
 * takeover waits, for as long as the policy wants proof. That it keeps to all this is tried by the suite of its test.
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
  const look = async (outlet: string, signal: AbortSignal): Promise<'on' | 'off'> => {
    const { power } = (await (await ask('GET', outlet, signal)).json()) as { power: 'on' | 'off' };
    return power;
  };
  return {
    name: 'power-switch',
    acts: 'power',
    proofs: ['powered-off'],
    async fence({ name }, { signal, permit }): Promise<FenceResult> {
      const outlet = outletOf(name);
      try {
        const power = await look(outlet, signal);
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
        return { outcome: 'failed', detail: messageOf(error) };
      }
    },
    async check({ name }, { signal }): Promise<FenceCheck> {
      try {
        const power = await look(outletOf(name), signal);
        // A strip knows its outlets and not what is plugged in: which is whose, the operator has chosen.
        return {
          outcome: 'ready',
          machine: 'chosen',
          power,
          mayAct: 'unknown',
          detail: 'the power strip answers',
        };
      } catch (error) {
        const detail = messageOf(error);
        return { outcome: 'not-ready', machine: 'unknown', power: 'unknown', mayAct: 'unknown', detail };
      }
    },
  };
}

function outletOf(name: string): string {
  return `/outlets/${encodeURIComponent(name)}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
