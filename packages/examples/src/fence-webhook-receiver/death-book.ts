// What is under way, and what came of it: asked twice about one death, the machine is switched once.

/** How far one piece of work is. */
export type Progress =
  | { readonly state: 'working' | 'done'; readonly id: string }
  | { readonly state: 'failed'; readonly id: string; readonly why: string };

export interface DeathBook {
  get(key: string): (() => Progress) | undefined;
  /** Begins, and waits for its end for a while. */
  begin(
    key: string,
    id: string,
    work: (signal: AbortSignal) => Promise<void>,
    patienceMs: number,
  ): Promise<void>;
}

/** Only what is asked about now matters: the machine itself is looked at each time. */
const mostDeaths = 1_000;

export function startDeathBook(longestMs: number): DeathBook {
  const deaths = new Map<string, Progress>();
  return {
    get(key) {
      return deaths.has(key) ? () => deaths.get(key) as Progress : undefined;
    },
    async begin(key, id, work, patienceMs) {
      deaths.delete(key);
      deaths.set(key, { state: 'working', id });
      const [oldest] = deaths.keys();
      if (deaths.size > mostDeaths && oldest !== undefined) deaths.delete(oldest);
      const signal = AbortSignal.timeout(longestMs);
      const late = new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('it took too long')), { once: true });
      });
      const ended = Promise.race([work(signal), late]).then(
        () => void deaths.set(key, { state: 'done', id }),
        (error: unknown) => {
          const why = error instanceof Error ? error.message : String(error);
          deaths.set(key, { state: 'failed', id, why });
        },
      );
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, patienceMs);
      });
      await Promise.race([ended, patience]);
      clearTimeout(timer);
    },
  };
}
