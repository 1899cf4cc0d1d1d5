import { describe, expect, it } from 'vitest';
import { ListenAddressError, parseListenAddress } from './listen-address.ts';

describe('where to listen', () => {
  it.each([
    ['127.0.0.1:4040', '127.0.0.1', 4040],
    ['localhost:4040', 'localhost', 4040],
    ['[::1]:4040', '::1', 4040],
    ['[::ffff:127.0.0.1]:1', '::ffff:127.0.0.1', 1],
    [':4040', '', 4040],
    ['127.0.0.1:0', '127.0.0.1', 0],
    ['sidecar.example:65535', 'sidecar.example', 65_535],
  ])('%s', (text, address, port) => {
    expect(parseListenAddress(text)).toEqual({ address, port });
  });

  it.each(['', '4040', 'localhost', 'localhost:', '::1:4040', '127.0.0.1:65536', '[]:1', 'a b:1', ':4040 '])(
    'is refused with what was expected and found: "%s"',
    (text) => {
      expect(() => parseListenAddress(text)).toThrow(ListenAddressError);
      expect(() => parseListenAddress(text)).toThrow(
        `expected an address and a port such as "127.0.0.1:4040" or "[::1]:4040", found "${text}"`,
      );
    },
  );
});
