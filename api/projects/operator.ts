import type { ApiKey } from '../../infra/database/entities/index.js';

/** The project that a stack begins with. Its admins are the operators: they create projects and keys of every project. */
export const OPERATOR_PROJECT = 'default';

/** Whether a key that has come to a route for admins may go beyond its project. */
export function isOperator({ project }: ApiKey): boolean {
  return project === OPERATOR_PROJECT;
}
