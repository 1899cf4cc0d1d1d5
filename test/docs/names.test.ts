// What documents call by name is there: metrics, reasons of Events, guards, steps, annotations, flags.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { builtInGuards, nodeEventReasons, takeoverSteps } from '@liberator/core';
import { describe, expect, it } from 'vitest';
import { documentAt, documents, fencesIn, root } from '../documents/documents.ts';
import type { Table } from '../documents/markdown.ts';
import { kindOfYaml } from '../documents/yaml-kinds.ts';
import { type Metric, metricsOfAgent, metricsOfCandidate, metricsOfGuard } from './agent-metrics.ts';
import { liberatorFlags } from './command-line-trial.ts';
import { publishedEvents } from './published-events.ts';

const metrics: readonly Metric[] = await metricsOfAgent();

const sources: string = globSync('packages/{core,agent}/{src,deploy,chart}/**/*.{ts,yaml}', { cwd: root })
  .filter((path) => !/\.test\.ts$|\/testing\//.test(path))
  .map((path) => readFileSync(join(root, path), 'utf8'))
  .join('\n');

/** Of programs that ours take the place of. */
const flagsOfOthers = [
  '--use-cluster-credentials',
  // Of V8.
  '--semi-space-growth-factor',
  '--liftoff-only',
  '--no-opt',
];

const operations = documentAt('docs/operations.md');
const concepts = documentAt('docs/concepts.md');

/** The table that begins with these columns. */
function table(tables: readonly Table[], ...columns: readonly string[]): Table {
  const found = tables.find((one) => columns.every((column, at) => one.columns[at] === column));
  if (found === undefined)
    throw new Error(`expected a table with the columns ${columns.join(', ')}, found none`);
  return found;
}

/** A cell without its code type. */
const bare = (cell: string | undefined): string => (cell ?? '').replaceAll('`', '');

describe('the tables of the operations page', () => {
  it('have every metric, with its type and its labels, and no other', () => {
    const { rows } = table(operations.tables, 'metric', 'type', 'labels');
    const documented = rows.map(([name, type, labels]) => ({
      name: bare(name),
      type,
      labels: bare(labels).split(', ').filter(Boolean),
    }));
    expect(documented).toHaveLength(metrics.length);
    expect(documented).toEqual(expect.arrayContaining([...metrics]));
  });

  it('have every reason of an Event, with the types that it is published as, and no other', () => {
    const { rows } = table(operations.tables, 'reason', 'type', 'what it means', 'what to do');
    const documented = rows.flatMap(([reason, types = '']) =>
      types.split(', ').map((type) => `${type} ${bare(reason)}`),
    );
    expect(documented.toSorted()).toEqual(publishedEvents());
    expect(new Set(rows.map(([reason]) => bare(reason)))).toEqual(new Set(nodeEventReasons));
  });

  it('say for every guard what to do', () => {
    const { rows } = table(operations.tables, 'guard', 'what to do');
    expect(rows.map(([guard]) => bare(guard))).toEqual(builtInGuards.map(({ name }) => name));
  });
});

describe('the tables of the concepts page', () => {
  it('have every guard, in the order in which reasons are told', () => {
    const { rows } = table(concepts.tables, 'guard', 'holds while');
    expect(rows.map(([guard]) => bare(guard))).toEqual(builtInGuards.map(({ name }) => name));
  });

  it('say of every guard whether it is a brake', () => {
    const { rows } = table(concepts.tables, 'guard', 'holds while', 'a brake');
    const brakes = rows.filter(([, , brake]) => brake === 'yes').map(([guard]) => bare(guard));
    expect(brakes).toEqual(builtInGuards.filter(({ brake }) => brake === true).map(({ name }) => name));
  });

  it('have every step, in order', () => {
    const { rows } = table(concepts.tables, 'step');
    expect(rows.map(([step]) => bare(step))).toEqual(takeoverSteps);
  });
});

describe('the documents', () => {
  it('name no metric that there is none of', async () => {
    const others = [...(await metricsOfCandidate()), ...(await metricsOfGuard())];
    const known = new Set([...metrics, ...others].map(({ name }) => name));
    const unknown = mentions(/\bliberator_[a-z_]+/g).filter(
      ({ name }) => !known.has(name.replace(/_(bucket|sum|count)$/, '')),
    );
    expect(unknown).toEqual([]);
  });

  it('name no Event that nobody publishes', () => {
    const named = mentions(/(?<=\breason=|\bEvents? `)[A-Za-z]+/g);
    expect(named.length).toBeGreaterThan(2);
    expect(named.filter(({ name }) => !nodeEventReasons.some((reason) => reason === name))).toEqual([]);
  });

  it('name no label, annotation or taint of ours that there is none of', () => {
    const unknown = mentions(/\bliberator\.dev\/[a-z-]*[a-z]/g).filter(({ name }) => !sources.includes(name));
    expect(unknown).toEqual([]);
  });

  it('of the agent name no flag that there is none of', () => {
    const known = new Set([...liberatorFlags(), ...flagsOfOthers]);
    const flags = documents
      .filter(({ path }) => path.startsWith('docs/') || path === 'packages/agent/README.md')
      .flatMap(({ path, code }) => code.map(({ text, line }) => ({ at: `${path}:${line}`, text })))
      .filter(({ text }) => /^--?[a-z]/.test(text));
    expect(flags.length).toBeGreaterThan(0);
    expect(flags.filter(({ text }) => !known.has(text.split(/[ =]/)[0] ?? ''))).toEqual([]);
  });

  it('name no file that is not there', () => {
    const paths = documents.flatMap(({ path, code }) =>
      code
        .filter(({ text }) => /^[\w.-]+(\/[\w.-]+)+\.(ts|yaml|svg|go)$/.test(text))
        .map(({ text, line }) => ({ at: `${path}:${line}`, text, beside: dirname(path) })),
    );
    expect(paths.length).toBeGreaterThan(5);
    const isThere = ({ text, beside }: (typeof paths)[number]): boolean =>
      ['', beside, 'packages/core/src'].some((from) => existsSync(join(root, from, text)));
    expect(paths.filter((path) => !isThere(path))).toEqual([]);
  });

  it('alert on metrics that carry the labels they ask for', () => {
    const rules = fencesIn('yaml').flatMap(({ text }) => {
      const piece = kindOfYaml(text);
      return piece.kind === 'rules' ? piece.groups.flatMap((group) => group.rules) : [];
    });
    expect(rules.length).toBeGreaterThan(5);
    for (const { alert, expr, annotations, labels } of rules) {
      for (const [, name = '', label = ''] of expr.matchAll(/(liberator_\w+)\{(\w+)=/g)) {
        expect(metrics.find((metric) => metric.name === name)?.labels, alert).toContain(label);
      }
      expect(labels['severity'], alert).toMatch(/^(critical|warning|info)$/);
      expect(annotations['summary'], alert).toBeTruthy();
    }
  });
});

function mentions(pattern: RegExp): readonly { readonly at: string; readonly name: string }[] {
  return documents.flatMap(({ path, source }) =>
    source
      .split('\n')
      .flatMap((text, index) =>
        [...text.matchAll(pattern)].map(([name]) => ({ at: `${path}:${index + 1}`, name })),
      ),
  );
}
