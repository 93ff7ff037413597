import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROJECT_ROOT } from '../../../infra/config/project-root.js';
import { PYTHON, PYTHON_ENVIRONMENT } from '../../../infra/local/installed.js';
import { configurationPage, type PythonSettings } from './configuration-page.js';

/** Writes docs/configuration.md from the schemas. The Python package says what variables its processes read. */
const { stdout } = await promisify(execFile)(PYTHON, ['-m', 'flow_grpo.settings_schema'], {
  env: { ...process.env, ...PYTHON_ENVIRONMENT },
});
const page = configurationPage(JSON.parse(stdout) as PythonSettings);
await writeFile(join(PROJECT_ROOT, 'docs/configuration.md'), page);
