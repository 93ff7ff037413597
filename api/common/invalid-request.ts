import type { StandardSchemaValidationPipeOptions } from '@nestjs/common';
import type { z } from 'zod';
import { MAX_ISSUES } from '../../infra/config/submitted/config-issues.js';
import { issueWords } from '../../infra/config/submitted/issue-words.js';
import { refusedFor } from './api-error.js';

type Issues = Parameters<NonNullable<StandardSchemaValidationPipeOptions['exceptionFactory']>>[0];

/** A message may name every key that the schema does not know. */
const LONGEST = 300;

/** What a request's query or body is refused with when its schema finds issues. */
export function invalidRequest(issues: Issues): Error {
  const described = issues.slice(0, MAX_ISSUES).map((found) => {
    // Every schema of ours is zod's.
    const issue = found as z.core.$ZodIssue;
    const param = (found.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
    const words = issueWords(issue);
    // What a schema lists is whole: whoever reads it looks for a name in it.
    const isCut = issue.code !== 'invalid_value' && words.length > LONGEST;
    const message = isCut ? `${words.slice(0, LONGEST)}…` : words;
    return { param, message: param ? `${param}: ${message}` : message };
  });
  return refusedFor('invalid_request', 'The request cannot be accepted', described, issues.length - described.length);
}
