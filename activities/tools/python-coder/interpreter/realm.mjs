import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import vm from 'node:vm';
import { limitMemory } from './limit-memory.mjs';

/*
 * A JavaScript realm of its own for Pyodide. Python code can reach whatever JavaScript can reach, so there is nothing:
 * no process, no require, no fetch, no object of this realm; code cannot be made from strings; nothing can be imported.
 */

/**
 * @param pyodide directory of the npm package
 * @param libraries directory of the wheels and, once it was made, of the snapshot
 * @param pages the least and the most memory of the interpreter, in WebAssembly pages of 64 KB
 * @returns what python.mjs exports, and the arguments that both of its ways to start take
 */
export async function openRealm({ pyodide, libraries, pages, files }) {
  const context = vm.createContext(vm.constants.DONT_CONTEXTIFY, { codeGeneration: { strings: false, wasm: true } });
  const sources = {
    './globals.mjs': import.meta.dirname,
    './python.mjs': import.meta.dirname,
    './pyodide.asm.mjs': pyodide,
    './pyodide.mjs': pyodide,
  };
  const modules = new Map();
  const module = (specifier) => {
    if (!modules.has(specifier)) modules.set(specifier, read(specifier));
    return modules.get(specifier);
  };
  const read = (specifier) =>
    new vm.SourceTextModule(readFileSync(join(sources[specifier], specifier), 'utf8'), {
      context,
      identifier: `sandbox:/${specifier.slice(2)}`,
      initializeImportMeta: (meta) => Object.assign(meta, { url: `sandbox:/${specifier.slice(2)}` }),
    });
  const python = module('./python.mjs');
  await python.link(module);
  const globals = module('./globals.mjs');
  await globals.evaluate();

  const place = (name, content) => globals.namespace.allocateFile(name, content.length).set(content);
  place('python_stdlib.zip', readFileSync(join(pyodide, 'python_stdlib.zip')));
  place('pyodide.asm.wasm', limitMemory(readFileSync(join(pyodide, 'pyodide.asm.wasm')), pages));
  for (const name of files) place(name, readFileSync(join(libraries, name)));
  await python.evaluate();
  const { info } = JSON.parse(readFileSync(join(pyodide, 'pyodide-lock.json'), 'utf8'));
  return { python: python.namespace, lock: JSON.stringify({ info, packages: {} }) };
}
