import { SpoonError } from '../../protocol/errors.ts';

/**
 * Reads fields of a JSON object by hand: a schema library would double the memory of an idle boxd. Each reader throws
 * SpoonError `request-invalid` that names the field.
 */
export class JsonFields {
  readonly #fields: Readonly<Record<string, unknown>>;

  constructor(value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('an object', 'The body');
    this.#fields = value as Readonly<Record<string, unknown>>;
  }

  value(name: string): unknown {
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
  }

  text(name: string): string {
    const value = this.value(name);
    if (typeof value !== 'string' || value.includes('\0')) throw invalid('text', name);
    return value;
  }

  flag(name: string): boolean {
    const value = this.value(name);
    if (typeof value !== 'boolean') throw invalid('true or false', name);
    return value;
  }

  /** A whole number from 0 on. */
  count(name: string): number {
    const value = this.value(name);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw invalid('a whole number', name);
    return value;
  }

  list(name: string): unknown[] {
    const value = this.value(name);
    if (!Array.isArray(value)) throw invalid('a list', name);
    return value;
  }

  texts(name: string): string[] {
    return this.list(name).map((value) => {
      if (typeof value !== 'string' || value.includes('\0')) throw invalid('a list of texts', name);
      return value;
    });
  }

  /** Environment variables. The service holds the rule of which names are allowed; here only what execve(2) can take. */
  variables(name: string): Record<string, string> {
    const value = this.value(name);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('an object', name);
    const variables: Record<string, string> = {};
    for (const [key, text] of Object.entries(value)) {
      if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(key)) throw new SpoonError('env-name-invalid', key.slice(0, 128));
      if (typeof text !== 'string' || text.includes('\0')) throw invalid('texts', name);
      variables[key] = text;
    }
    return variables;
  }

  /** The id of a terminal or command. It becomes a variable of what runs there, hence the narrow form. */
  id(): string {
    const id = this.text('id');
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) throw invalid('1 to 64 of A-Z a-z 0-9 _ -', 'id');
    return id;
  }
}

function invalid(expected: string, name: string): SpoonError {
  return new SpoonError('request-invalid', `${name} must be ${expected}.`);
}
