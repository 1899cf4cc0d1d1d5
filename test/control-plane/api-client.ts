// Just enough HTTPS to bring a cluster up, to look at it and to get a token; tests bring a real client.
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { ClusterError } from './cluster-error.ts';

/** Who asks, and whom to trust. PEM texts. */
export interface ApiCredentials {
  ca: string;
  cert?: string;
  key?: string;
}

export interface ApiRequest {
  method?: 'GET' | 'POST';
  url: string;
  credentials?: ApiCredentials;
  body?: unknown;
  /** For the whole request. Default 5 s. */
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
}

export interface ApiResponse {
  status: number;
  text: string;
}

/** Resolves with any answer; rejects when there was none in time. */
export async function sendRequest(request: ApiRequest): Promise<ApiResponse> {
  const { method = 'GET', url, credentials, body, timeoutMs = 5_000, signal } = request;
  const timeout = AbortSignal.timeout(timeoutMs);
  const send = url.startsWith('http:') ? requestHttp : requestHttps;
  return await new Promise((resolve, reject) => {
    const sent = send(
      url,
      {
        method,
        agent: false,
        ...credentials,
        headers: {
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
        });
      },
    );
    sent.once('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Reads or creates an object; throws `request-failed` on anything but success. */
export async function callApi<T>(request: ApiRequest): Promise<T> {
  const what = `${request.method ?? 'GET'} ${request.url}`;
  let response: ApiResponse;
  try {
    response = await sendRequest(request);
  } catch (cause) {
    request.signal?.throwIfAborted();
    throw new ClusterError('request-failed', `${what}: no answer`, { cause });
  }
  if (response.status < 200 || response.status > 299) {
    throw new ClusterError('request-failed', `${what}: expected success, found status ${response.status}`);
  }
  return JSON.parse(response.text) as T;
}
