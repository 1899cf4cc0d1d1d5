// Every fence in a document is of a kind that some test takes up, so that none goes unchecked.
import { describe, expect, it } from 'vitest';
import { documents, fencesIn } from '../documents/documents.ts';
import { kindOfYaml } from '../documents/yaml-kinds.ts';

/** Checked by the tests of their own beside this one; `text` is what programs print, never what is typed. */
const languages = new Set(['ts', 'sh', 'console', 'yaml', 'json', 'promql', 'text']);

const typable = /^\$ |^(liberator|npm|npx|kubectl|helm|docker|cd|export) /m;

describe('the fences of the documents', () => {
  it('all say what they are, in a language that is checked', () => {
    const unknown = documents.flatMap(({ path, fences }) =>
      fences
        .filter(({ language }) => !languages.has(language))
        .map(({ line, language }) => `${path}:${line}: ${language || 'no language'}`),
    );
    expect(unknown).toEqual([]);
  });

  it('are of a known kind when they are YAML', () => {
    const unknown = fencesIn('yaml').flatMap(({ at, text }) => {
      try {
        kindOfYaml(text);
        return [];
      } catch (error) {
        return [`${at}: ${error instanceof Error ? error.message : error}`];
      }
    });
    expect(unknown).toEqual([]);
  });

  it('are JSON when they say so', () => {
    for (const { at, text } of fencesIn('json')) expect(() => JSON.parse(text), at).not.toThrow();
  });

  it('do not pass off as output what is meant to be typed', () => {
    expect(fencesIn('text').filter(({ text }) => typable.test(text))).toEqual([]);
  });
});
