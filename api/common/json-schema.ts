import type { OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

const PREFIX = '#/components/schemas/';
const registries = { input: z.registry<{ id: string }>(), output: z.registry<{ id: string }>() };

/** Names a zod schema in the OpenAPI description; schemas that contain it refer to it. */
export function named(id: string, schema: z.ZodType, io: 'input' | 'output' = 'output'): { $ref: string } {
  registries[io].add(schema, { id });
  return { $ref: PREFIX + id };
}

/** Every named schema as OpenAPI wants it. */
export function componentSchemas(): Schemas {
  const all = (['input', 'output'] as const).flatMap((io) => {
    const { schemas } = z.toJSONSchema(registries[io], { io, unrepresentable: 'any', uri: (id) => PREFIX + id });
    return Object.entries(schemas).map(([id, { $schema: _schema, $id: _id, ...schema }]) => [id, schema] as const);
  });
  return Object.fromEntries(all) as Schemas;
}
