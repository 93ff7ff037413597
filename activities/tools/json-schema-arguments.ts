import { Ajv, type ErrorObject } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { mistake, type JsonSchema, type Tool } from './tool.js';

/** Schemas come from servers and files of the operator: keywords that nobody knows are ignored. */
const OPTIONS = { strict: false, allErrors: true, validateSchema: false } as const;
const MAX_ISSUES = 5;

/** Validation by a JSON schema, draft 2020-12 unless it says draft 7. @throws Error where the schema makes no sense */
export function parserOf(schema: JsonSchema): Tool<Record<string, unknown>>['parse'] {
  const { $schema: dialect, ...rest } = schema;
  const isDraft7 = typeof dialect === 'string' && dialect.includes('draft-07');
  const ajv = isDraft7 ? new Ajv(OPTIONS) : new Ajv2020(OPTIONS);
  addFormats.default(ajv);
  const validate = ajv.compile<Record<string, unknown>>({ ...rest, type: 'object' });
  return (input) => {
    if (validate(input)) return { arguments: input };
    const issues = validate.errors!.slice(0, MAX_ISSUES).map(describe);
    return mistake('invalid_arguments', [...new Set(issues)].join('; '));
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

function describe({ instancePath, message, params, keyword }: ErrorObject): string {
  const place = instancePath.slice(1).replaceAll('/', '.') || 'the arguments';
  const extra = keyword === 'additionalProperties' ? ` (${String(params.additionalProperty)})` : '';
  return `${place} ${message ?? 'are wrong'}${extra}`;
}
