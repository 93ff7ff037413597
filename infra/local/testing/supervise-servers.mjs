// Supervises PostgreSQL and Temporal only, until it is killed: node supervise-servers.mjs <data directory>
// Prints the pids and URLs as one JSON line once they are healthy. Needs the compiled project.
import { LocalStack } from '../../../dist/infra/local/local-stack.js';

const ports = { postgres: 0, temporal: 0, temporalUi: 0, policyServer: 0, api: 0 };
const stack = await LocalStack.start({ dataDirectory: process.argv[2], ports, services: [] });
console.log(JSON.stringify({ pids: stack.pids, urls: stack.urls }));
