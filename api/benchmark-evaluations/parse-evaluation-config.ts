import type { EvaluationConfig } from '../../contracts/evaluation-config.js';
import { checkEvaluationConfig } from '../../infra/config/submitted/check-evaluation-config.js';
import type { RegisteredNames } from '../../infra/config/submitted/registered-names.js';
import { refusedFor, type ApiIssue } from '../common/api-error.js';

/** @throws ApiError 400 that lists everything that is wrong */
export function parseEvaluationConfig(body: unknown, registered: RegisteredNames): EvaluationConfig {
  const checked = checkEvaluationConfig(body, registered);
  if ('issues' in checked) throw refusedEvaluation(checked.issues, checked.more);
  return checked.config;
}

export function refusedEvaluation(issues: readonly ApiIssue[], more?: number): Error {
  return refusedFor('invalid_evaluation', 'The evaluation cannot be accepted', issues, more);
}
