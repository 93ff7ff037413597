#!/usr/bin/env node
import { loadProgram } from '../infra/local/load-program.js';

await loadProgram(() => import('./run.js'));
