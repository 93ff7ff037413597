import { z } from 'zod';

export type Path = readonly PropertyKey[];

/** A schema and what was given for it: which option of a union is meant depends on the value. */
export interface Place {
  schema: z.ZodType;
  value: unknown;
}

/** Where a path leads, defaults taken off and unions decided; a schema that accepts anything where it leads nowhere. */
export function placeAt(root: Place, path: Path): Place {
  return path.reduce<Place>((place, key) => decided(member(place, key)), decided(root));
}

/** The keys that are known at a place. */
export function knownKeys({ schema }: Place): string[] {
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape);
  if (schema instanceof z.ZodRecord && schema.keyType instanceof z.ZodEnum) return schema.keyType.options.map(String);
  return [];
}

/** The paths of all keys at a place and below. */
export function keyPaths(place: Place, prefix = ''): string[] {
  const { schema } = place;
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.keys(schema.shape).flatMap((key) => [
    prefix + key,
    ...keyPaths(decided(member(place, key)), `${prefix}${key}.`),
  ]);
}

/** The choice that an object was made by, such as `kind: cispo`, and the keys that only its other options have. */
export function choiceAt(root: Place, path: Path): { choice: string; elsewhere: string[] } | undefined {
  const last = path.at(-1);
  const place = last === undefined ? root : member(placeAt(root, path.slice(0, -1)), last);
  const union = withoutDefault(place.schema);
  if (!(union instanceof z.ZodDiscriminatedUnion)) return undefined;
  const options = union.options as z.ZodObject[];
  const { discriminator } = union.def;
  const value = memberValue(place.value, discriminator);
  return {
    choice: typeof value === 'string' ? `${discriminator}: ${value}` : `the default ${discriminator}`,
    elsewhere: options.flatMap(({ shape }) => Object.keys(shape)),
  };
}

function member({ schema, value }: Place, key: PropertyKey): Place {
  const inner = memberSchema(schema, key) ?? z.unknown();
  return { schema: inner, value: memberValue(value, key) };
}

function memberSchema(schema: z.ZodType, key: PropertyKey): z.ZodType | undefined {
  if (schema instanceof z.ZodObject) return (schema.shape as Record<PropertyKey, z.ZodType>)[key];
  if (schema instanceof z.ZodArray) return schema.element as z.ZodType;
  return undefined;
}

function memberValue(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined;
}

function decided({ schema, value }: Place): Place {
  const inner = withoutDefault(schema);
  if (!(inner instanceof z.ZodDiscriminatedUnion)) return { schema: inner, value };
  const { discriminator } = inner.def;
  const given = memberValue(value, discriminator) as z.core.util.Primitive;
  const option = (inner.options as z.ZodObject[]).find((candidate) =>
    (candidate.shape as Record<string, z.ZodType>)[discriminator]?._zod.values?.has(given),
  );
  return { schema: option ?? inner, value };
}

function withoutDefault(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return withoutDefault(schema.unwrap() as z.ZodType);
  }
  return schema;
}
