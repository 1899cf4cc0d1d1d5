import { once } from 'node:events';
import { type ClientRequest, get, type IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { servePages } from '../http/page-server.ts';
import { EventStream, type EventStreamOptions } from './event-stream.ts';

interface Reader {
  readonly request: ClientRequest;
  readonly response: IncomingMessage;
  /** Everything heard so far. */
  heard: string;
  closed: boolean;
}

/** A stream on a real socket. Its readers hear nothing before they listen. */
async function openStream(options: Partial<EventStreamOptions> = {}) {
  const told = { now: 'first' };
  const stream = new EventStream({ current: () => told.now, heartbeatMs: 60_000, ...options });
  const streams = { '/sse': stream.open.bind(stream) };
  const server = await servePages({ address: '127.0.0.1', port: 0, setting: '', pages: {}, streams });
  onTestFinished(async () => {
    stream[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  });
  const connect = async (): Promise<Reader> => {
    const request = get(`http://127.0.0.1:${server.port}/sse`, { agent: false });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const reader: Reader = { request, response, heard: '', closed: false };
    response.on('error', () => undefined);
    response.once('close', () => {
      reader.closed = true;
    });
    return reader;
  };
  return { told, stream, connect };
}

function listen(reader: Reader): Reader {
  reader.response.setEncoding('utf8').on('data', (text: string) => {
    reader.heard += text;
  });
  return reader;
}

async function until(reached: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 10_000; !reached(); await pause(5)) {
    if (performance.now() > deadline) expect.fail(`expected ${reached} in time`);
  }
}

describe('a stream of events', () => {
  it('tells how it stands at once, then each change', async () => {
    const { stream, told, connect } = await openStream();
    const reader = listen(await connect());
    expect(reader.response.headers['content-type']).toBe('text/event-stream');
    await until(() => reader.heard === 'retry: 1000\ndata: first\n\n');
    stream.publish('second');
    told.now = 'second';
    await until(() => reader.heard.endsWith('data: second\n\n'));
    const late = listen(await connect());
    await until(() => late.heard === 'retry: 1000\ndata: second\n\n');
  });

  it('is not silent when nothing changes, and rests when nobody listens', async () => {
    const { stream, connect } = await openStream({ heartbeatMs: 10 });
    for (let visits = 1; visits <= 2; visits++) {
      const reader = listen(await connect());
      await until(() => reader.heard.endsWith(': still here\n\n: still here\n\n'));
      reader.request.destroy();
      await until(() => stream.readers === 0);
      await pause(30);
    }
  });

  it('drops whoever does not read, and no one else', async () => {
    const { stream, connect } = await openStream();
    const slow = await connect();
    slow.response.pause();
    const quick = listen(await connect());
    expect(stream.readers).toBe(2);
    const line = 'x'.repeat(8_192);
    // First the kernel's buffers fill up, some megabytes of them.
    for (let told = 0; told < 4_000 && stream.readers === 2; told++) {
      stream.publish(line);
      await until(() => quick.heard.length > (told + 1) * line.length);
    }
    expect(stream.readers).toBe(1);
    slow.response.resume();
    await until(() => slow.closed);
    stream.publish('still here');
    await until(() => quick.heard.endsWith('data: still here\n\n'));
  });

  it('keeps no more for a reader than it may', async () => {
    const { stream, connect } = await openStream({ longestBacklogBytes: 1_000 });
    await connect();
    stream.publish('x'.repeat(10_000_000));
    expect(stream.readers).toBe(0);
  });

  it('refuses those who do not fit, until somebody goes', async () => {
    const { stream, connect } = await openStream({ mostReaders: 2 });
    const [first] = [await connect(), await connect()];
    const third = listen(await connect());
    expect(third.response.statusCode).toBe(503);
    await until(() => third.heard.startsWith('There are 2 readers already'));
    first.request.destroy();
    await until(() => stream.readers === 1);
    expect((await connect()).response.statusCode).toBe(200);
  });

  it('ends for everybody when it is disposed of', async () => {
    const { stream, connect } = await openStream();
    const reader = listen(await connect());
    stream.publish('good-bye');
    stream[Symbol.dispose]();
    await until(() => reader.closed);
    expect(reader.heard).toMatch(/data: good-bye\n\n$/);
    expect(stream.readers).toBe(0);
  });
});
