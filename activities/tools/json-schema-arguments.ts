import { Ajv, type ErrorObject } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { mistake, type JsonSchema, type Tool } from './tool.js';

/**
 * Patterns are meant to be read in Unicode mode. Many that servers send are not valid in it, such as `^https\\:`: these are
 * read as they were tried.
 */
const regExp = Object.assign(
  (pattern: string, flags: string): RegExp => {
    try {
      return new RegExp(pattern, flags);
    } catch {
      return new RegExp(pattern);
    }
  },
  { code: 'new RegExp' },
);

/** Schemas come from servers and files of the operator: keywords that nobody knows are ignored. */
const OPTIONS = { strict: false, allErrors: true, validateSchema: false, code: { regExp } } as const;
const MAX_ISSUES = 5;

/** Arguments that a JSON schema of an object accepts. @throws Error where the schema makes no sense */
export function parserOf(schema: JsonSchema): Tool<Record<string, unknown>>['parse'] {
  const misfit = misfitOf({ ...schema, type: 'object' }, 'the arguments');
  return (input) => {
    const words = misfit(input);
    return words === undefined ? { arguments: input as Record<string, unknown> } : mistake('invalid_arguments', words);
  };
}

/**
 * What in a value a JSON schema does not accept, in words: draft 2020-12 unless the schema says draft 7.
 * @param whole what the value is called
 * @throws Error where the schema makes no sense
 */
export function misfitOf(
  { $schema: dialect, ...schema }: JsonSchema,
  whole: string,
): (value: unknown) => string | undefined {
  const isDraft7 = typeof dialect === 'string' && dialect.includes('draft-07');
  const ajv = isDraft7 ? new Ajv(OPTIONS) : new Ajv2020(OPTIONS);
  addFormats.default(ajv);
  const validate = ajv.compile(schema);
  return (value) => {
    if (validate(value)) return undefined;
    const issues = validate.errors!.slice(0, MAX_ISSUES).map((issue) => describe(issue, whole));
    return [...new Set(issues)].join('; ');
  };
}

/** The argument that a sub-goal in words can fill: the only required one, or the only one, if it is text. */
export function textArgument({ properties, required }: JsonSchema): string | undefined {
  const names = Object.keys((properties as JsonSchema | undefined) ?? {});
  const needed = Array.isArray(required) && required.length > 0 ? (required as string[]) : names;
  if (needed.length !== 1) return undefined;
  const schema = (properties as Record<string, JsonSchema> | undefined)?.[needed[0]];
  return schema?.type === 'string' ? needed[0] : undefined;
}

function describe({ instancePath, message, params, keyword }: ErrorObject, whole: string): string {
  const place = instancePath.slice(1).replaceAll('/', '.') || whole;
  const extra = keyword === 'additionalProperties' ? ` (${String(params.additionalProperty)})` : '';
  return `${place} ${message ?? 'are wrong'}${extra}`;
}
