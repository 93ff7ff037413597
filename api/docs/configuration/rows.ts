import { stringify } from 'yaml';
import { type z } from 'zod';

export type Schema = z.core.JSONSchema.BaseSchema;

/** What a page says of one key. */
export interface Row {
  key: string;
  type: string;
  standard: string;
  meaning: string;
}

/** Objects of which a user chooses one. */
export interface Choice {
  head: Row;
  /** The key that says which, if one does. */
  tag: string | undefined;
  names: string[];
  groups: { with: string[]; rows: Row[] }[];
}

interface Property {
  path: string;
  schema: Schema;
  required: boolean;
}

/** Objects with so few keys are written inside the type of the key that holds them. */
const INLINE_KEYS = 2;

/**
 * The keys of JSON schemas as rows. An object that a page has described is not described again: the row of another key
 * that holds it says so.
 */
export class KeyRows {
  private readonly described = new Map<string, string>();
  private readonly told = new Set<string>();

  /** All keys of an object and of what is in it. */
  of({ properties = {}, required = [] }: Schema, path = ''): Row[] {
    return Object.entries(properties).flatMap(([key, schema]) =>
      this.ofProperty({
        path: path ? `${path}.${key}` : key,
        schema: schema as Schema,
        required: required.includes(key),
      }),
    );
  }

  /** A choice between objects: the row about it, and the keys that belong to all options, to some, to one. */
  choice({ path, schema, required }: Property, options: Schema[]): Choice {
    const tag = options.map(constantKey).find((key) => key !== undefined);
    const names = options.map((option) => (tag ? String(property(option, tag)?.const) : ownKey(option, options)));
    const elsewhere = options.map((option) => this.known(option, path));
    const rows = options.flatMap((option, index) => {
      if (elsewhere[index]) return [];
      return this.of(withoutKey(option, tag), path).map((row) => ({ row, name: names[index] }));
    });
    const told = names.flatMap((name, index) =>
      this.once(`${code(name)}: ${options[index].description}`, options[index]),
    );
    const keys = groupBy(
      names.map((name, index) => ({ name, place: elsewhere[index] })).filter(({ place }) => place),
      ({ place }) => place!,
    ).map((same) => `Keys of ${same.map(({ name }) => code(name)).join(', ')}: as ${code(same[0].place)}.`);
    const head: Row = {
      key: tag ? `${path}.${tag}` : path,
      type: tag ? names.map(code).join(', ') : `one of the keys ${names.map(code).join(', ')}`,
      standard: tag ? standardChoice(schema, options, tag) : standardOf(schema, required),
      meaning: [schema.description, ...told, ...keys].filter(Boolean).join(' '),
    };
    return { head, tag, names, groups: together(rows) };
  }

  private ofProperty(property: Property): Row[] {
    const { path, schema } = property;
    const item = items(schema);
    if (item) return [row(property, item.type), ...this.inside(item.schema, path + item.suffix)];
    const options = choices(schema);
    if (options) return this.ofChoice(property, options);
    if (!schema.properties) return [row(property, typeOf(schema))];
    const known = this.known(schema, path);
    if (known) return [row(property, `as \`${known}\``)];
    return [...(schema.description ? [row(property, 'keys below')] : []), ...this.of(schema, path)];
  }

  private inside(schema: Schema, path: string): Row[] {
    const options = choices(schema);
    return options ? this.ofChoice({ path, schema, required: true }, options) : this.of(schema, path);
  }

  private ofChoice(property: Property, options: Schema[]): Row[] {
    const { head, names, groups } = this.choice(property, options);
    const conditional = groups.flatMap(({ with: having, rows }) => {
      const prefix = condition(having, names);
      return rows.map((row) => ({ ...row, meaning: [prefix, row.meaning].filter(Boolean).join(' ') }));
    });
    return [head, ...conditional];
  }

  /** What an option is, the first time. */
  private once(text: string, { description }: Schema): string[] {
    if (!description || this.told.has(text)) return [];
    this.told.add(text);
    return [text];
  }

  /** Where an object was described before, if not here. */
  private known({ properties, required }: Schema, path: string): string | undefined {
    if (Object.keys(properties ?? {}).length <= INLINE_KEYS) return undefined;
    const print = JSON.stringify({ properties, required });
    const first = this.described.get(print);
    if (first === undefined) this.described.set(print, path);
    return first === path ? undefined : first;
  }
}

/** Equal rows of several options are one row; rows of the same options stand together. */
function together(rows: { row: Row; name: string }[]): Choice['groups'] {
  const having = groupBy(rows, ({ row }) => JSON.stringify(row));
  const found = having.map((equal) => ({ row: equal[0].row, with: equal.map(({ name }) => name) }));
  const groups = groupBy(found, ({ with: names }) => names.join());
  return groups.map((group) => ({ with: group[0].with, rows: group.map(({ row }) => row) }));
}

export function groupBy<T>(values: T[], keyOf: (value: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const value of values) groups.set(keyOf(value), [...(groups.get(keyOf(value)) ?? []), value]);
  return [...groups.values()];
}

function condition(having: string[], names: string[]): string {
  const others = names.filter((name) => !having.includes(name));
  if (others.length === 0) return '';
  return others.length * 2 < names.length
    ? `Not with ${others.map(code).join(', ')}.`
    : `With ${having.map(code).join(', ')}.`;
}

function row({ path, schema, required }: Property, type: string): Row {
  const examples = schema.examples?.map((example) => code(flow(example))) ?? [];
  const shown = examples.length > 0 ? `Example: ${examples.join(', ')}.` : '';
  return {
    key: path,
    type,
    standard: standardOf(schema, required),
    meaning: [schema.description, shown].filter(Boolean).join(' '),
  };
}

function standardOf({ default: standard }: Schema, required: boolean): string {
  if (required) return 'required';
  if (standard === undefined || (typeof standard === 'object' && Object.keys(standard ?? {}).length === 0)) return '';
  return [standard]
    .flat()
    .map((value) => code(typeof value === 'object' ? flow(value) : value))
    .join(', ');
}

/** The option that holds if nothing is said, with the keys whose default differs in this place. */
function standardChoice({ default: standard }: Schema, options: Schema[], tag: string): string {
  const { [tag]: chosen, ...others } = (standard ?? {}) as Record<string, unknown>;
  const value = chosen ?? options.map((option) => property(option, tag)?.default).find(Boolean);
  const further = Object.entries(others).map(([key, other]) => code(`${key}: ${flow(other)}`));
  return value === undefined ? 'required' : [code(value), ...further].join(', ');
}

/** What a list or a map of objects holds. */
function items({ type, items: listed, additionalProperties: mapped }: Schema) {
  const item = (type === 'array' ? listed : mapped) as Schema | undefined;
  if (typeof item !== 'object' || !(item.properties ?? choices(item))) return undefined;
  return type === 'array'
    ? { schema: item, suffix: '[]', type: 'list, keys below' }
    : { schema: item, suffix: '.<name>', type: 'by name, keys below' };
}

/** The options of a choice between objects that are worth rows of their own. */
export function choices(schema: Schema): Schema[] | undefined {
  const options = schema.oneOf ?? schema.anyOf;
  const isLarge = options?.some(({ properties = {} }) => Object.keys(properties).length > INLINE_KEYS);
  return options?.every(({ properties }) => properties) && (isLarge || constantKey(options[0])) ? options : undefined;
}

function constantKey({ properties = {} }: Schema): string | undefined {
  return Object.entries(properties).find(([, value]) => (value as Schema).const !== undefined)?.[0];
}

/** The key that tells an option from the others. */
function ownKey(option: Schema, options: Schema[]): string {
  const others = options.filter((other) => other !== option);
  const keys = Object.keys(option.properties ?? {});
  return keys.find((key) => others.every((other) => !(key in (other.properties ?? {})))) ?? keys[0];
}

function property({ properties = {} }: Schema, key: string): Schema | undefined {
  return properties[key] as Schema | undefined;
}

function withoutKey(schema: Schema, key: string | undefined): Schema {
  const entries = Object.entries(schema.properties ?? {}).filter(([name]) => name !== key);
  return { ...schema, properties: Object.fromEntries(entries) };
}

/** Type and bounds, in words. */
function typeOf(schema: Schema): string {
  if (schema.title) return schema.title;
  const options = schema.oneOf ?? schema.anyOf;
  if (options) return [...new Set(options.map(typeOf))].join(', or ');
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum) return schema.enum.map(code).join(', ');
  if (schema.properties) return inline(schema);
  if (schema.type === 'boolean') return 'true or false';
  if (schema.type === 'null') return code(null);
  if (schema.type === 'array') return `list${countOf(schema)}: ${typeOf(schema.items as Schema)}`;
  if (schema.type === 'object') return `by ${namesOf(schema)}: ${typeOf(schema.additionalProperties as Schema)}`;
  const name = schema.type === 'string' ? (schema.format === 'path' ? 'path' : 'text') : schema.type;
  const length = schema.maxLength && `at most ${schema.maxLength} characters`;
  return [name, length, numberRange(schema)].filter(Boolean).join(', ');
}

function inline({ properties = {} }: Schema): string {
  const entries = Object.entries(properties).map(([key, value]) => `${code(key)}: ${typeOf(value as Schema)}`);
  return `{ ${entries.join(', ')} }`;
}

function namesOf({ propertyNames }: Schema): string {
  const names = (propertyNames as Schema | undefined)?.enum;
  return names ? names.map(code).join(', ') : 'name';
}

function countOf({ minItems, maxItems }: Schema): string {
  const count = range(minItems, maxItems);
  return count && ` of ${count}`;
}

function numberRange({ minimum, exclusiveMinimum, exclusiveMaximum, maximum }: Schema): string {
  const above = exclusiveMinimum === undefined ? '' : `above ${exclusiveMinimum}`;
  const below = exclusiveMaximum === undefined ? '' : `below ${exclusiveMaximum}`;
  const least = minimum === undefined || Math.abs(minimum) === Number.MAX_SAFE_INTEGER ? undefined : minimum;
  const most = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  return [above, range(least, most), below].filter(Boolean).join(', ');
}

function range(least: number | undefined, most: number | undefined): string {
  if (least !== undefined && most !== undefined) return `${least} to ${most}`;
  if (least !== undefined) return `at least ${least}`;
  return most === undefined ? '' : `at most ${most}`;
}

/** A value as a user writes it on one line. */
function flow(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 }).trim();
}

function code(value: unknown): string {
  return `\`${String(value)}\``;
}
