import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';

export interface Schema {
  $ref?: string;
  anyOf?: Schema[];
  oneOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  example?: unknown;
  examples?: unknown[];
  type?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  minimum?: number;
  maximum?: number;
}

export interface Operation {
  parameters?: { in: string; name: string; required?: boolean; schema?: Schema }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, object>;
}

/** docs/openapi.json, which a test compares with the routes. */
export const description = JSON.parse(readFileSync(join(PROJECT_ROOT, 'docs/openapi.json'), 'utf8')) as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
};

/** Every operation there is: a new route is among them as soon as it is described, and it must be. */
export const OPERATIONS = Object.entries(description.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, method, path, operation })),
);

export type DescribedOperation = (typeof OPERATIONS)[number];

export function parametersOf({ operation }: DescribedOperation, place: 'path' | 'query' | 'header'): string[] {
  return (operation.parameters ?? []).filter((parameter) => parameter.in === place).map(({ name }) => name);
}

/** A path with the id of what is in its list; what is below that by another name has any. */
export function filledPath(path: string, id: string): string {
  return path.replace('{id}', id).replace('{name}', 'README.md');
}

/** The list that what a path names is in, as `/v1/training_runs` of `/v1/training_runs/{id}/steps`. */
export function collectionOf(path: string): string {
  return path.split('/{')[0];
}
