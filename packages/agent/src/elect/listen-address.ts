// Where to listen, as people write it: "127.0.0.1:4040", "localhost:4040", "[::1]:4040".
import { InvalidArgumentError } from 'commander';

export interface ListenAddress {
  /** Empty: every address of this machine. */
  readonly address: string;
  readonly port: number;
}

/** Thrown by {@link parseListenAddress}; the message says what was expected and what was found. */
export class ListenAddressError extends Error {
  override readonly name = 'ListenAddressError';
  readonly code = 'LIBERATOR_LISTEN_ADDRESS';
}

const pattern = /^(?:\[([\da-f:.]+)\]|([^\s:[\]]*)):(\d{1,5})$/i;

/**
 * A host and a port; without a host, as in ":4040", every address. Port 0 is any free one.
 *
 * @throws {@link ListenAddressError}
 */
export function parseListenAddress(text: string): ListenAddress {
  const [, bracketed, plain, digits] = pattern.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw new ListenAddressError(
      `expected an address and a port such as "127.0.0.1:4040" or "[::1]:4040", found "${text}"`,
    );
  }
  return { address: bracketed ?? plain ?? '', port };
}

/** The same as a flag takes it. */
export function listenAddressArgument(text: string): ListenAddress {
  try {
    return parseListenAddress(text);
  } catch (error) {
    if (error instanceof ListenAddressError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}
