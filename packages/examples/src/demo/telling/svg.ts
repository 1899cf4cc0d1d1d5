// The few parts of SVG that a picture of bars and words needs.

type Attributes = Readonly<Record<string, string | number>>;

/** Where a moment lies on a picture; `from` and `to` are the first and the last one that it shows. */
export interface Scale {
  (ms: number): number;
  readonly from: number;
  readonly to: number;
  readonly range: readonly [number, number];
}

/** Linear; what lies outside is drawn at the border. */
export function scaleOf([from, to]: readonly [number, number], range: readonly [number, number]): Scale {
  const place = (ms: number): number => {
    const share = (Math.min(Math.max(ms, from), to) - from) / (to - from);
    return round(range[0] + share * (range[1] - range[0]));
  };
  return Object.assign(place, { from, to, range });
}

/** Round moments on a scale, at most `most` of them. */
export function ticks({ from, to }: Pick<Scale, 'from' | 'to'>, most: number): readonly number[] {
  const steps = [100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 60_000];
  const step = steps.find((candidate) => (to - from) / candidate <= most) ?? (to - from) / most;
  const first = Math.max(0, Math.ceil(from / step));
  const count = Math.floor(to / step) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, index) => (first + index) * step);
}

export function tag(name: string, attributes: Attributes, content?: string): string {
  const given = Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${escaped(String(typeof value === 'number' ? round(value) : value))}"`)
    .join('');
  return content === undefined ? `<${name}${given}/>` : `<${name}${given}>${escaped(content)}</${name}>`;
}

export function textTag(look: string, x: number, y: number, content: string, more: Attributes = {}): string {
  return tag('text', { class: look, x, y, ...more }, content);
}

export function centred(look: string, x: number, y: number, content: string): string {
  return textTag(look, x, y, content, { 'text-anchor': 'middle' });
}

export function startAligned(look: string, x: number, y: number, content: string): string {
  return textTag(look, x, y, content, { 'text-anchor': 'start' });
}

/** About what a character of the picture's font takes. */
const characterWidth = 6.6;

/** The text if there is room for it, else nothing. */
export function fit(text: string, pixels: number): string {
  return text.length * characterWidth + 8 <= pixels ? text : '';
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** Light by itself, dark where the reader's page is: it has a ground of its own, so it is readable on either. */
export const style = `<style>
  text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
  .card { fill: #ffffff; stroke: #d1d9e0; }
  .heading { font-size: 18px; font-weight: 600; }
  .subheading { font-weight: 600; }
  .note, .value { fill: #59636e; }
  .value { font-size: 11px; }
  .lane, .moment-name { font-weight: 600; }
  .axis { stroke: #b7bfc8; }
  .moment { stroke: #59636e; stroke-dasharray: 2 3; }
  .beam { fill: #0969da; fill-opacity: 0.08; }
  .running { fill: #2da44e; } .on-running { fill: #ffffff; font-weight: 600; }
  .starting { fill: #aceebb; } .on-starting { fill: #116329; }
  .lost { fill: #eaeef2; } .on-lost { fill: #59636e; }
  .watching { fill: #ddf4ff; } .on-watching { fill: #0550ae; }
  .suspect { fill: #f5d97a; } .on-suspect { fill: #4d3800; }
  .acting { fill: #0969da; } .on-acting { fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .card { fill: #0d1117; stroke: #3d444d; }
    .note, .value { fill: #9198a1; }
    .axis { stroke: #3d444d; }
    .moment { stroke: #9198a1; }
    .beam { fill: #4493f8; fill-opacity: 0.14; }
    .running { fill: #238636; } .on-running { fill: #ffffff; }
    .starting { fill: #1a5a2d; } .on-starting { fill: #aceebb; }
    .lost { fill: #21262d; } .on-lost { fill: #9198a1; }
    .watching { fill: #12263f; } .on-watching { fill: #79c0ff; }
    .suspect { fill: #9e7a13; } .on-suspect { fill: #fff3cd; }
    .acting { fill: #4493f8; } .on-acting { fill: #0d1117; }
  }
</style>`;
