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

function keysOf({ properties = {}, required = [] }: Schema, path: string[] = []): string[][] {
  return Object.entries(properties).flatMap(([key, value]) => {
    const schema = value as Schema;
    if (schema.properties) return keysOf(schema, [...path, key]);
    const missing = required.includes(key) ? 'required' : 'none';
    const standard = schema.default === undefined ? missing : [schema.default].flat().map(code).join(', ');
    return [[code([...path, key].join('.')), standard, allowed(schema)]];
  });
}

function allowed(schema: Schema): string {
  if (schema.enum) return schema.enum.map(code).join(', ');
  if (schema.type === 'boolean') return 'true or false';
  if (schema.type === 'array') return `${allowed(schema.items as Schema)}s`;
  if (schema.type === 'object') return `${allowed(schema.additionalProperties as Schema)} (each)`;
  if (schema.type === 'string') return schema.pattern ? 'registered name' : 'text';
  return `${schema.type as string}, ${range(schema)}`;
}

function range({ minimum, exclusiveMinimum, maximum }: Schema): string {
  const bounded = maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER;
  if (exclusiveMinimum !== undefined) return `above ${exclusiveMinimum}${bounded ? `, up to ${maximum}` : ''}`;
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
