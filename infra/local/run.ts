import { parseArgs } from 'node:util';
import { keepOutputHarmless } from '../processes/harmless-output.js';
import { down } from './commands/down.js';
import { status } from './commands/status.js';
import { supervise } from './commands/supervise.js';
import { up } from './commands/up.js';

const USAGE = `Usage: node dist/infra/local/main.js up | down | status [--json] | supervise

  up         starts the local stack in the background and waits until it is healthy
  down       stops it, and whatever a killed supervisor left running
  status     says what runs, and where
  supervise  runs the stack in the foreground until Ctrl-C

Settings: AGENTFLOW_DATA (data directory), AGENTFLOW_{POSTGRES,TEMPORAL,TEMPORAL_UI,POLICY_SERVER,API}_PORT,
DATABASE_URL (an existing PostgreSQL), TEMPORAL_ADDRESS and friends (an existing Temporal cluster).`;

const COMMANDS: Record<string, (json: boolean) => Promise<number>> = { up, down, status, supervise };

keepOutputHarmless();
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false } },
});
const command = COMMANDS[positionals[0] ?? ''];
if (!command || positionals.length !== 1 || (values.json && command !== status)) {
  console.error(USAGE);
  process.exit(2);
}
try {
  process.exitCode = await command(values.json);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
