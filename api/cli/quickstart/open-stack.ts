import { LocalStack } from '../../../infra/local/local-stack.js';
import { describeEvent } from '../../../infra/local/describe.js';
import { up } from '../../../infra/local/commands/up.js';
import { runningStack } from '../../../infra/local/running-stack.js';
import { stackOptionsFromEnvironment, stackPaths } from '../../../infra/local/stack-options.js';
import { readStackRecord, type StackUrls } from '../../../infra/local/stack-record.js';
import { ApiClient } from '../client/api-client.js';
import { locateApi } from '../client/locate-api.js';
