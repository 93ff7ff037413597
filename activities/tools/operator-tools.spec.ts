import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readEnvironment } from '../../infra/config/environment.js';
import { pythonSection } from '../../infra/config/operator/python.js';
import { userToolsSection } from '../../infra/config/operator/user-tools.js';
import { PROJECT_ROOT } from '../../infra/config/project-root.js';
import { createTools } from './index.js';
import { openOperatorTools } from './operator-tools.js';

const { AGENTFLOW_CACHE } = readEnvironment(['AGENTFLOW_CACHE']);
const nothing = { tools: [], python: pythonSection.parse(undefined), mcp_servers: {} };
const fail = (error: Error): void => {
  throw error;
};

describe(openOperatorTools, () => {
  it('opens what is registered, beside the tools of the product', async () => {
    const operator = {
      ...nothing,
      tools: ['calculator', 'python_coder', 'days_between'],
      user_tools: userToolsSection.parse({ directory: join(PROJECT_ROOT, 'examples/tools') }),
    };
    const opened = await openOperatorTools(operator, AGENTFLOW_CACHE, fail);
    const registry = createTools(undefined, opened);
    expect(registry.select(operator.tools).map(({ title }) => title)).toEqual([
      'Calculator',
      'Python_Coder',
      'days_between',
    ]);
    await opened.close();
  });

  it('opens nothing that is not registered', async () => {
    const opened = await openOperatorTools(nothing, '/nowhere', fail);
    expect(opened.tools).toEqual([]);
    await opened.close();
  });

  it('says how to set the sandbox up where it is registered and not there', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'cache-'));
    const opening = openOperatorTools({ ...nothing, tools: ['python_coder'] }, empty, fail);
    await expect(opening).rejects.toThrow(/python_coder.*Run `npm run setup`/);
  });
});
