// Asks sidecars again and again whether they lead, and judges from what they said whether two ever led at once.
import { Agent, get } from 'node:http';

/** One answer of one sidecar to `GET /leader`. */
export interface LeadershipSample {
  readonly sidecar: string;
  /** Before the request left, in monotonic milliseconds of whoever asked. */
  readonly sentAt: number;
  /** After all of its answer was there. */
  readonly receivedAt: number;
  readonly leads: boolean;
  /** Who leads, as it says, and in which term; -1 when it knows of nobody. */
  readonly name: string;
  readonly term: number;
}

/** What one sidecar certainly claimed in one term. */
interface Claim {
  readonly who: string;
  readonly term: number;
  /** When the first claim was heard, and when the last one was asked for. */
  readonly heardAt: number;
  readonly askedAt: number;
}

/**
 * Everything in the samples that no honest election can produce, as sentences.
 *
 * A 200 was true at some instant between being sent and being received; at which, nobody knows. A term is unbroken, so a
 * sidecar that said 200 twice in one term claimed all of the time between those two instants. And terms grow. So two
 * claims contradict each other unless those instants can be chosen so that the claim of the lower term ends before the
 * other begins: unless its last 200 was sent before the first 200 of the other was received. Nothing stronger follows
 * from the samples, and nothing weaker is asked.
 */
export function contradictionsIn(samples: readonly LeadershipSample[]): readonly string[] {
  const claims = claimsIn(samples).toSorted((a, b) => a.term - b.term);
  const found = claims
    .filter((claim) => isBroken(claim, samples))
    .map((claim) => `${nameOf(claim)} was broken`);
  for (const [index, earlier] of claims.entries()) {
    for (const later of claims.slice(index + 1)) {
      if (earlier.term === later.term) found.push(`${nameOf(earlier)} and ${nameOf(later)} share a term`);
      else if (earlier.askedAt < later.heardAt) continue;
      else if (later.askedAt < earlier.heardAt) found.push(`${nameOf(later)} came before ${nameOf(earlier)}`);
      else found.push(`${nameOf(earlier)} and ${nameOf(later)} led at once`);
    }
  }
  return found;
}

function claimsIn(samples: readonly LeadershipSample[]): readonly Claim[] {
  const claims = new Map<string, Claim>();
  for (const { sidecar, term, leads, sentAt, receivedAt } of samples) {
    if (!leads) continue;
    const key = `${sidecar} ${term}`;
    const known = claims.get(key);
    claims.set(key, {
      who: sidecar,
      term,
      heardAt: Math.min(known?.heardAt ?? Number.POSITIVE_INFINITY, receivedAt),
      askedAt: Math.max(known?.askedAt ?? Number.NEGATIVE_INFINITY, sentAt),
    });
  }
  return [...claims.values()];
}

/** It said 503 between two 200s of one term. */
function isBroken({ who, heardAt, askedAt }: Claim, samples: readonly LeadershipSample[]): boolean {
  return samples.some(
    ({ sidecar, leads, sentAt, receivedAt }) =>
      sidecar === who && !leads && sentAt > heardAt && receivedAt < askedAt,
  );
}

function nameOf({ who, term }: Claim): string {
  return `${who} in term ${term}`;
}

/** A process that is stopped leaves its questions unanswered; more than this many at once say nothing new. */
const mostUnanswered = 16;

/** Asks one sidecar every ten milliseconds, whether the answer to the last question has come or not. */
export class LeadershipSampler implements Disposable {
  readonly samples: LeadershipSample[] = [];
  readonly #sidecar: string;
  readonly #url: string;
  readonly #connections = new Agent({ keepAlive: true, maxSockets: mostUnanswered });
  readonly #timer: NodeJS.Timeout;
  #unanswered = 0;

  constructor({ id, url }: { readonly id: string; readonly url: string }, everyMs: number = 10) {
    this.#sidecar = id;
    this.#url = `${url}/leader`;
    this.#timer = setInterval(() => this.#ask(), everyMs);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#connections.destroy();
  }

  #ask(): void {
    if (this.#unanswered >= mostUnanswered) return;
    this.#unanswered += 1;
    const sentAt = performance.now();
    let said = '';
    const request = get(this.#url, { agent: this.#connections }, (response) => {
      response.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      // Cut off half way, it said nothing.
      response.on('error', () => undefined);
      response.on('end', () => this.#note(sentAt, response.statusCode === 200, said));
    });
    // Nobody is there.
    request.on('error', () => undefined);
    request.on('close', () => {
      this.#unanswered -= 1;
    });
  }

  #note(sentAt: number, leads: boolean, said: string): void {
    const { name, isLeader, term } = JSON.parse(said) as {
      name: string;
      isLeader: boolean;
      term: number | null;
    };
    if (isLeader !== leads) throw new Error(`${this.#sidecar}: the status and the body differ: ${said}`);
    this.samples.push({
      sidecar: this.#sidecar,
      sentAt,
      receivedAt: performance.now(),
      leads,
      name,
      term: term ?? -1,
    });
  }
}
