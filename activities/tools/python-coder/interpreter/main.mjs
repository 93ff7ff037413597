// One interpreter: says `ready`, reads one program from its standard input, writes what became of it, and ends.
// Arguments: directory of the npm package pyodide, directory of the libraries, most memory in pages of 64 KB.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { openRealm } from './realm.mjs';

const PAGE_BYTES = 64 * 1024;

const [pyodide, libraries, most] = process.argv.slice(2);
const least = Math.ceil(statSync(join(libraries, 'snapshot.bin')).size / PAGE_BYTES);
const { python, lock } = await openRealm({
  pyodide,
  libraries,
  pages: { least, most: Number(most) },
  files: ['sympy.whl', 'mpmath.whl', 'snapshot.bin'],
});
await python.restore(lock);
process.stdout.write('ready\n');

const request = await text(process.stdin);
if (request !== '') process.stdout.write(answer(request));

function answer(program) {
  try {
    const result = python.run(program);
    if (typeof result === 'string') return result;
  } catch {
    // The interpreter itself fell: out of its stack, or broken by the program. What was thrown is the sandbox's.
  }
  return JSON.stringify({ status: 'crashed', output: '', error: '' });
}
