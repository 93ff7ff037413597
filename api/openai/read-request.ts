import type { z } from 'zod';
import { describeIssues, type ConfigIssue } from '../../infra/config/submitted/config-issues.js';
import { badRequest, refusedFor } from '../common/api-error.js';

/**
 * A request in OpenAI's form.
 * @param neutral the parameters that are taken only with values that ask for nothing
 * @throws ApiError 400: `unsupported` that names the parameter, or a list of what is wrong
 */
export function readRequest<T>(schema: z.ZodType<T>, neutral: object, body: unknown): T {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw badRequest('invalid_request', 'The body must be one object, in JSON.');
  }
  const parsed = schema.safeParse(body, { reportInput: true });
  if (parsed.success) return parsed.data;
  const { issues, more } = describeIssues({ schema, value: body }, parsed.error.issues.flatMap(ofLikeliestForm));
  const refused = issues.find(({ param, message }) => isUnsupported(param, message, neutral));
  if (refused) throw unsupported(refused, issues);
  throw refusedFor('invalid_request', 'The request cannot be accepted', issues, more);
}

/** Of what may be a text or a list: the issues of the form that was meant. */
function ofLikeliestForm(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const meant = issue.errors.find(
    (issues) => !issues.some(({ code, path }) => code === 'invalid_type' && path.length === 0),
  );
  if (!meant) return [issue];
  return meant.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })).flatMap(ofLikeliestForm);
}

function isUnsupported(param: string, message: string, neutral: object): boolean {
  const [name] = param.split(/[.[]/, 1);
  return Object.hasOwn(neutral, name) || message.includes(': unknown key.');
}

function unsupported({ param, message }: ConfigIssue, issues: ConfigIssue[]): Error {
  return badRequest('unsupported', `The request cannot be accepted: ${message}`, { param, issues });
}
