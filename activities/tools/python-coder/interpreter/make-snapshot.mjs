// Set-up: starts Python, imports the libraries, and writes its memory to `snapshot.bin` in their directory.
// Arguments: directory of the npm package pyodide, directory of the libraries.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openRealm } from './realm.mjs';

/** The whole of 32-bit memory: the limit of a program is set when it runs. */
const PAGES = { least: 480, most: 65_536 };

const [pyodide, libraries] = process.argv.slice(2);
const { python, lock } = await openRealm({ pyodide, libraries, pages: PAGES, files: ['sympy.whl', 'mpmath.whl'] });
await python.start(lock, readFileSync(join(import.meta.dirname, 'runner.py'), 'utf8'));
const path = join(libraries, 'snapshot.bin');
writeFileSync(`${path}.new`, python.snapshot());
renameSync(`${path}.new`, path);
