// How management controllers misbehave, each seen on a real one: to be switched on and off while one runs.

/** What is wrong with the whole controller. Absent: nothing. */
export interface BmcFaults {
  /** Which requests the others of these apply to: those that switch power, or those that only read. Default: all. */
  readonly on?: 'resets' | 'reads';
  /** It thinks for so long, in milliseconds, before it answers; a reset takes effect at once all the same. */
  readonly slowMs?: number;
  /** It takes connections and requests, and never answers. Nothing that was asked takes effect. */
  readonly hang?: boolean;
  /** It breaks each connection. */
  readonly reset?: boolean;
  /** 401 to everybody. */
  readonly unauthorized?: boolean;
  /** Our account may only read: 403 to what switches, and `ReadOnly` for its role. */
  readonly readOnly?: boolean;
  /** It has no time: 503, or 429, with `Retry-After` where `retryAfterS` is given. */
  readonly unavailable?: { readonly status?: 429 | 503; readonly retryAfterS?: number };
  /** 307 for what is below `/redfish/v1/Systems`: `here` to the same with a slash at its end, else to another origin. */
  readonly redirect?: 'here' | (string & {});
  /** Half of each body, and then the connection breaks. */
  readonly truncated?: boolean;
  /** A page for people instead of JSON. */
  readonly notJson?: boolean;
  /** Each body is padded to that many bytes. */
  readonly bytes?: number;
}

/** What is wrong with one machine of a controller, or with what is known of it. Absent: nothing. */
export interface BmcMachineFaults {
  /** Whatever is asked is taken, and nothing happens. */
  readonly stuck?: boolean;
  /** It reads Off and is on, and what is asked of it has no effect. Nobody can tell by the controller alone. */
  readonly liesOff?: boolean;
  /** `PowerState` isn't there. */
  readonly noPowerState?: boolean;
  /** What `PowerState` reads instead of the truth while it isn't off yet: `PoweringOff`. */
  readonly reads?: string;
  /** `UUID` isn't there. */
  readonly noUuid?: boolean;
  /** Another UUID: that of another machine, or one of nobody such as all zeros. */
  readonly uuid?: string;
  /** The first three groups of the UUID in the other byte order. */
  readonly swappedUuid?: boolean;
  /** What a reset is refused with that has nothing to do: 409 as iDRAC does, 400 as iLO does. */
  readonly already?: 400 | 409;
  /** A reset is answered with 202 and a task, that ends once it is done, or fails, or never ends; the last two do nothing. */
  readonly task?: 'ends' | 'fails' | 'never-ends';
  /** A reset needs `If-Match`: 428 without, 412 with an old one. */
  readonly needsIfMatch?: boolean;
  /** It switches itself on again so many milliseconds after it went off. */
  readonly backOnAfterMs?: number;
  /** What it may be asked for. Default: all that it can do. */
  readonly allows?: readonly string[];
}
