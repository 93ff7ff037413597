#!/usr/bin/env node
// The command `agentflow`. Plain Node and not compiled: npx links it once, also where nothing has been built yet.
import { existsSync } from 'node:fs';

const program = new URL('../dist/cli/main.js', import.meta.url);
if (existsSync(program)) {
  await import(program.href);
} else {
  console.error('agentflow: nothing is built yet. Set the project up and start the local stack with: npm run up');
  process.exitCode = 1;
}
