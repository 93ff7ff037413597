import { loadProgram } from './load-program.js';

await loadProgram(() => import('./run.js'));
