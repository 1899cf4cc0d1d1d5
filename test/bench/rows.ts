// What a bench finds: samples of figures, and the few numbers that say how they are spread.

/** One figure of one case. */
export interface Row {
  readonly case: string;
  readonly figure: string;
  /** `ms`, `%`, `MiB`, `ratio`; of a count, what is counted. */
  readonly unit: string;
  /** How many samples. */
  readonly n: number;
  readonly min: number;
  readonly median: number;
  readonly p95: number;
  readonly max: number;
}

/** The row of some samples; undefined when there are none: no figure is better than an invented one. */
export function rowOf(
  where: { readonly case: string; readonly figure: string; readonly unit: string },
  samples: readonly number[],
): Row | undefined {
  const sorted = samples.toSorted((a, b) => a - b);
  const [min] = sorted;
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) return undefined;
  return {
    ...where,
    n: sorted.length,
    min: rounded(min),
    median: rounded(percentile(sorted, 50)),
    p95: rounded(percentile(sorted, 95)),
    max: rounded(max),
  };
}

/** By nearest rank, so that it is always one of the samples. @param sorted ascending, not empty */
export function percentile(sorted: readonly number[], percent: number): number {
  const rank = Math.max(1, Math.ceil((percent / 100) * sorted.length));
  const value = sorted[rank - 1];
  if (value === undefined) throw new RangeError('expected at least one sample, found none');
  return value;
}

/** Each of one beside the one of the other that was measured with it. */
export function ratios(of: readonly number[], to: readonly number[]): readonly number[] {
  return of.flatMap((value, at) => {
    const other = to[at];
    return other === undefined || other === 0 ? [] : [value / other];
  });
}

/** Four digits that count: no clock and no counter here knows more. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** Gathers rows, leaving out figures without samples. */
export class Findings {
  readonly rows: Row[] = [];

  add(
    where: { readonly case: string; readonly figure: string; readonly unit: string },
    samples: readonly number[],
  ): void {
    const row = rowOf(where, samples);
    if (row !== undefined) this.rows.push(row);
  }
}
