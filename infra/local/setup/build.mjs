import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './command.mjs';
import { nodePackages } from './node-packages.mjs';
import { ROOT } from './paths.mjs';
import { stamp } from './stamp.mjs';

const FOLDERS = ['activities', 'api', 'bench', 'cli', 'contracts', 'dashboard', 'infra', 'worker/agent', 'workflows'];
const CONFIGURATION = ['nest-cli.json', 'package-lock.json', 'tsconfig.build.json', 'tsconfig.json'];
/** What is compiled, and what is copied as it is. */
const SOURCES = /\.(ts|tsx|css|html|txt)$/;

export const build = {
  title: 'Build',
  needs: [nodePackages],
  isDone: () => distStamp().matches(),
  async run() {
    const before = distStamp();
    await run('Compiling to dist/', process.execPath, [join(ROOT, 'node_modules/@nestjs/cli/bin/nest.js'), 'build']);
    chmodSync(join(ROOT, 'dist/cli/main.js'), 0o755); // the `agentflow` of `npx agentflow`
    const vite = [join(ROOT, 'node_modules/vite/bin/vite.js'), 'build', '--config', 'dashboard/vite.config.ts'];
    await run('Building the dashboard', process.execPath, vite);
    before.write();
  },
};

function distStamp() {
  const sources = FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true })
      .filter((path) => SOURCES.test(path) && !path.endsWith('.spec.ts'))
      .sort()
      .map((path) => join(ROOT, folder, path)),
  );
  return stamp(join(ROOT, 'dist/.stamp'), [...CONFIGURATION.map((path) => join(ROOT, path)), ...sources]);
}
