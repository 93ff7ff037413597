import { keepOutputHarmless } from '../processes/harmless-output.js';
import { holdLifeline } from '../processes/lifeline.js';
import { createUiProxy } from './ui-proxy.js';

/** The door of the Temporal UI: `main.js <port> <origin of the UI>`. It listens on the loopback interface until it is killed. */
keepOutputHarmless();
holdLifeline();
const [port, ui] = process.argv.slice(2);
createUiProxy(ui).listen(Number(port), '127.0.0.1');
