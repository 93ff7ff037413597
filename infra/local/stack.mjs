// `npm run status` and `npm run down`. Plain Node and not compiled: they may be called where nothing has been built yet.
import { existsSync } from 'node:fs';

/** As in the init scripts of Linux: the program is not running. */
const NOT_RUNNING = 3;

const program = new URL('../../dist/infra/local/main.js', import.meta.url);
if (existsSync(program)) {
  await import(program.href);
} else {
  console.log(
    'Nothing is set up yet, so nothing runs here. Set the project up and start the local stack with: npm run up',
  );
  process.exitCode = process.argv[2] === 'status' ? NOT_RUNNING : 0;
}
