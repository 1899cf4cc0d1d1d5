// From the keys of a webhook to the driver.
import { type Fencer, webhookFencer } from '@liberator/core';
import type { WebhookConfig } from '../config/fencers/webhook.ts';
import { deviceIn } from './device.ts';

export function buildWebhook(name: string, config: WebhookConfig): Fencer {
  const { url, hosts, secret, answers, ca, proofs, unfences, labels, annotations } = config;
  const { requestTimeout, pollFor, timeout } = config;
  return webhookFencer({
    name,
    url,
    secret,
    answers,
    proofs,
    unfences,
    labels,
    annotations,
    ...(hosts !== undefined && { hosts }),
    ...(ca !== undefined && { ca }),
    ...(requestTimeout !== undefined && { requestTimeoutMs: requestTimeout }),
    ...(pollFor !== undefined && { pollForMs: pollFor }),
    ...(timeout !== undefined && { timeoutMs: timeout }),
    ...deviceIn(config),
  });
}
