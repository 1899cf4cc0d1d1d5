// Reads one value of a kubeconfig as what it has to be. Errors name the key, and never what was found there: it may be a
// token that lost its quotes.
import { KubeConfigError } from './kube-config-error.ts';

/** An object of a kubeconfig. What is missing, null or empty is as if it weren't there, as in Kubernetes' own types. */
export class Fields {
  readonly #origin: string;
  readonly #where: string;
  readonly #values: Readonly<Record<string, unknown>>;

  /** @param where - the key that led here; empty for the whole file */
  constructor(origin: string, where: string, value: unknown) {
    this.#origin = origin;
    this.#where = where;
    if (value !== undefined && value !== null && (typeof value !== 'object' || Array.isArray(value))) {
      throw this.#unexpected(where, 'an object');
    }
    this.#values = (value ?? {}) as Record<string, unknown>;
  }

  has(key: string): boolean {
    return this.#values[key] !== undefined && this.#values[key] !== null;
  }

  raw(key: string): unknown {
    return this.#values[key] ?? undefined;
  }

  text(key: string): string | undefined {
    const value = this.raw(key);
    if (value === undefined || value === '') return undefined;
    if (typeof value !== 'string')
      throw this.#unexpected(this.#path(key), 'text (in quotes, if it looks like a number)');
    return value;
  }

  flag(key: string): boolean {
    const value = this.raw(key) ?? false;
    if (typeof value !== 'boolean') throw this.#unexpected(this.#path(key), 'true or false');
    return value;
  }

  base64(key: string): string | undefined {
    const text = this.text(key)?.replaceAll(/[\r\n]/g, '');
    if (text === undefined || text === '') return undefined;
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) {
      throw this.#unexpected(this.#path(key), 'base64');
    }
    return text;
  }

  texts(key: string): readonly string[] {
    return this.#list(key).map((value, index) => {
      if (typeof value === 'string') return value;
      throw this.#unexpected(`${this.#path(key)}[${index}]`, 'text (in quotes, if it looks like a number)');
    });
  }

  object(key: string): Fields {
    return new Fields(this.#origin, this.#path(key), this.raw(key));
  }

  objects(key: string): readonly Fields[] {
    return this.#list(key).map(
      (value, index) => new Fields(this.#origin, `${this.#path(key)}[${index}]`, value),
    );
  }

  keys(): readonly string[] {
    return Object.keys(this.#values);
  }

  #list(key: string): readonly unknown[] {
    const value = this.raw(key) ?? [];
    if (!Array.isArray(value)) throw this.#unexpected(this.#path(key), 'a list');
    return value;
  }

  #path(key: string): string {
    return this.#where === '' ? key : `${this.#where}.${key}`;
  }

  #unexpected(where: string, expected: string): KubeConfigError {
    const what = where === '' ? this.#origin : `${where} of ${this.#origin}`;
    return new KubeConfigError(`expected ${what} to be ${expected}`);
  }
}
