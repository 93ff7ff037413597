import { join } from 'node:path';
import { readEnvironment } from '../config/environment.js';

/** Where base models are, as variables of the environment of a Python process. @throws EnvironmentError */
export function modelsEnvironment(): Record<string, string> {
  const { AGENTFLOW_OPERATOR_FILE, AGENTFLOW_CACHE } = readEnvironment(['AGENTFLOW_OPERATOR_FILE', 'AGENTFLOW_CACHE']);
  const AGENTFLOW_MODELS_CACHE = process.env['AGENTFLOW_MODELS_CACHE'] || join(AGENTFLOW_CACHE, 'models');
  return { AGENTFLOW_OPERATOR_FILE, AGENTFLOW_MODELS_CACHE };
}
