import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { runConfigSchema } from './run-config.js';

type Schema = z.core.JSONSchema.BaseSchema;

/** The first three cells of each row about a key: key, default, allowed. */
function documentedKeys(): string[][] {
  const text = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  const section = /## Run configuration\n(.*?)\n## /s.exec(text)?.[1] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, 4)
      .map((cell) => cell.trim()),
  );
}

/** Rows of all keys at a place and below. `mark` names the choice that the keys belong to. */
function keysOf({ properties = {}, required = [] }: Schema, path: string[] = [], mark = ''): string[][] {
  return Object.entries(properties).flatMap(([key, value]) => {
    const schema = value as Schema;
    const here = [...path, key];
    if (schema.properties) return keysOf(schema, here, mark);
    const choice = choiceOf(schema);
    if (choice) return keysOfChoice(choice, here);
    const missing = required.includes(key) ? 'required' : 'none';
    const standard = schema.default === undefined ? missing : [schema.default].flat().map(code).join(', ');
    return [[code(here.join('.')) + mark, standard, allowed(schema)]];
  });
}

/** The keys of the first option, and of the others those that differ from it. */
function keysOfChoice([first, ...others]: Schema[], path: string[]): string[][] {
  const rows = keysOf(first, path);
  const known = new Set(rows.map(String));
  const further = others.flatMap((option) => {
    const unmarked = keysOf(option, path);
    return keysOf(option, path, ` with ${choosing(option)}`).filter((_, index) => !known.has(String(unmarked[index])));
  });
  return [...rows, ...further];
}

function choiceOf(schema: Schema): Schema[] | undefined {
  const options = schema.oneOf ?? schema.anyOf;
  return options?.every((option) => option.properties) ? options : undefined;
}

function choosing({ properties = {} }: Schema): string {
  const [key, value] = Object.entries(properties).find(([, value]) => (value as Schema).const !== undefined) ?? [];
  return `${key} ${String((value as Schema).const)}`;
}

function allowed(schema: Schema): string {
  const options = schema.oneOf ?? schema.anyOf;
  if (options) return options.map(allowed).join(', ');
  if (schema.const !== undefined) return code(schema.const);
  if (schema.type === 'null') return code(null);
  if (schema.properties)
    return `{ ${Object.entries(schema.properties)
      .map(([key, value]) => `${code(key)}: ${allowed(value as Schema)}`)
      .join(', ')} }`;
  if (schema.enum) return schema.enum.map(code).join(', ');
  if (schema.type === 'boolean') return 'true or false';
  if (schema.type === 'array') return listOf(allowed(schema.items as Schema));
  if (schema.type === 'object') return `${allowed(schema.additionalProperties as Schema)} (each)`;
  if (schema.type === 'string') return named(schema.pattern);
  return [schema.type as string, range(schema)].filter(Boolean).join(', ');
}

function listOf(item: string): string {
  return item === 'registered name' ? 'registered names' : `list of ${item}`;
}

function named(pattern?: string): string {
  if (!pattern) return 'text';
  if (pattern.startsWith('^[a-z0-9]')) return 'registered name';
  return pattern.includes('@') ? '`<run>@<step>`' : 'id of a run';
}

function range({ minimum, exclusiveMinimum, maximum }: Schema): string {
  const bounded = maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER;
  if (exclusiveMinimum !== undefined) return `above ${exclusiveMinimum}${bounded ? `, up to ${maximum}` : ''}`;
  if (minimum === undefined) return '';
  return bounded ? `${minimum} to ${maximum}` : `from ${minimum}`;
}

function code(value: unknown): string {
  return `\`${String(value)}\``;
}

describe('docs/configuration.md', () => {
  it('names every key of a run configuration with its default and what is allowed', () => {
    const schema = z.toJSONSchema(runConfigSchema, { io: 'input' });
    expect(documentedKeys()).toEqual(keysOf(schema));
  });
});
