// Evaluated inside the sandbox's realm. Strings and numbers are all that passes between it and the child process.
import { forgetFiles, seedRandomBytes } from './globals.mjs';
import createPyodideModule from './pyodide.asm.mjs';
import { loadPyodide } from './pyodide.mjs';

const LIBRARIES = '/lib/libraries';

let pyodide;
let runProgram;

/** Starts Python from its files, and imports what programs need. */
export async function start(lock, runner) {
  await load(lock, { _makeSnapshot: true });
  pyodide.runPython(runner);
}

/** Starts Python from the memory of one that was started before. */
export async function restore(lock) {
  await load(lock, { _loadSnapshot: globalThis.readbuffer('snapshot.bin') });
  runProgram = pyodide.globals.get('run');
  refuseWriting(pyodide);
  forgetFiles();
}

export function snapshot() {
  return pyodide.makeMemorySnapshot();
}

/** Runs a program. Request and answer are JSON. */
export function run(request) {
  seedRandomBytes(JSON.parse(request).seed);
  return runProgram(request);
}

async function load(lock, options) {
  pyodide = await loadPyodide({
    indexURL: '/',
    createPyodideModule,
    lockFileContents: JSON.parse(lock),
    jsglobals: Object.create(null),
    env: { HOME: '/home', PYTHONHASHSEED: '0' },
    fsInit: installLibraries,
    ...options,
  });
}

function installLibraries(fileSystem) {
  fileSystem.mkdirTree(LIBRARIES);
  for (const name of ['sympy.whl', 'mpmath.whl']) {
    fileSystem.writeFile(`${LIBRARIES}/${name}`, new Uint8Array(globalThis.readbuffer(name)));
  }
}

/** Programs read the libraries' files and write none: files are memory that the interpreter's limit does not cover. */
function refuseWriting({ FS, ERRNO_CODES }) {
  const refuse = () => {
    throw new FS.ErrnoError(ERRNO_CODES.EROFS);
  };
  FS.filesystems.MEMFS.ops_table.file.stream.write = refuse;
  FS.filesystems.MEMFS.resizeFileStorage = refuse;
}
