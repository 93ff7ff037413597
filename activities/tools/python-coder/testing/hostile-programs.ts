import type { ProgramOutcome } from '../interpreter.js';

export interface HostileProgram {
  name: string;
  code: string;
  /** What may become of it: more than one where it depends on which limit it meets first. */
  statuses: ProgramOutcome['status'][];
  /** What its output and traceback show. */
  shows?: RegExp;
}

/** What the programs try to reach. The test looks whether they did. */
export interface Targets {
  /** A server on this machine. */
  port: number;
  /** An existing file. */
  file: string;
  /** A path where no file is. */
  newFile: string;
}

const raised = (name: string, code: string, shows: RegExp): HostileProgram => ({
  name,
  code,
  statuses: ['raised'],
  shows,
});
const finished = (name: string, code: string, shows: RegExp): HostileProgram => ({
  name,
  code,
  statuses: ['finished'],
  shows,
});
const ends = (name: string, code: string, ...statuses: ProgramOutcome['status'][]): HostileProgram => ({
  name,
  code,
  statuses,
});

/** Removes what hides the modules that lead to JavaScript: a program can. */
const UNHIDE = `import sys
sys.meta_path = [finder for finder in sys.meta_path if type(finder).__name__ != 'Absent']
`;
/** Digs Pyodide's own JavaScript object out of the garbage collector's list. */
const DIG = `import gc
finder = next(o for o in gc.get_objects() if type(o).__name__ == 'JsFinder')
api = finder.jsproxies['pyodide_js']
`;

const HOST_OBJECTS = [
  raised('imports js', 'import js\njs.process.exit()', /No module|not available/),
  raised('imports pyodide_js', 'import pyodide_js\npyodide_js.globals', /not available/),
  raised('imports _pyodide_core', 'from _pyodide_core import raw_call', /not available/),
  raised('imports pyodide.code', 'from pyodide.code import run_js\nrun_js("process.env")', /not available/),
  raised('imports _pyodide', 'import _pyodide._base', /not available/),
  raised('imports ctypes', 'import ctypes\nctypes.string_at(0, 64)', /not available/),
  raised('imports by name', '__import__("importlib").import_module("pyodide_js")', /not available/),
  raised('runs JavaScript, unhidden', `${UNHIDE}from pyodide.code import run_js\nrun_js("1")`, /No module named 'js'/),
  raised('makes a function from a string', `${DIG}api.constructor.constructor("return process")()`, /Code generation/),
  raised('makes a function of another prototype', `${DIG}api.FS.open.constructor("return this")()`, /Code generation/),
  finished(
    'looks for host globals',
    `${DIG}names = ['process', 'require', 'fetch', 'Deno', 'XMLHttpRequest', 'WebSocket', 'global']
root = api.constructor.constructor
print([n for n in names if hasattr(api, n) or hasattr(root, n)])`,
    /^\[\]$/m,
  ),
  raised('mounts a host directory', `${DIG}api.mountNodeFS('/mnt', '/etc')\nimport os\nprint(os.listdir('/mnt'))`, /./),
  raised('mounts through NODEFS', `${DIG}api.FS.mount(api.FS.filesystems.NODEFS, {}, '/tmp')`, /./),
  finished(
    'wanders over subclasses',
    `found = [c for c in ().__class__.__base__.__subclasses__() if c.__name__ in ('Popen', '_wrap_close')]
for c in found:
    try: print(c(['id']))
    except Exception as e: print(type(e).__name__)
print('end')`,
    /^end$/m,
  ),
  finished(
    'tampers with the frames above it',
    `import sys
frame = sys._getframe(2)
frame.f_globals['Output'].write = lambda self, text: None
frame.f_globals['describe'] = None
print(sorted(frame.f_globals)[:1])`,
    /^$/,
  ),
  ends('breaks the answer', 'import json\njson.dumps = lambda *a, **k: "{}"', 'crashed'),
  ends('replaces the answer', 'import json\njson.dumps = lambda *a, **k: 7', 'crashed'),
];

const PROCESSES = [
  raised('forks', 'import os\nos.fork()', /OSError/),
  raised('starts a process', 'import subprocess\nsubprocess.run(["id"])', /does not support processes/),
  finished('runs a command', 'import os\nprint(os.system("id"))', /^-1$/m),
  raised('opens a command', 'import os\nprint(os.popen("id").read())', /Error/),
  raised('replaces its process', 'import os\nos.execv("/bin/sh", ["sh", "-c", "id"])', /Error/),
  raised('uses multiprocessing', 'import multiprocessing as m\nm.Process(target=print).start()', /Error/),
  raised('kills its parent', 'import os\nos.kill(os.getppid(), 9)', /PermissionError/),
  raised('starts a thread', 'import threading\nthreading.Thread(target=print).start()', /can't start new thread/),
  raised('starts a raw thread', 'import _thread\n_thread.start_new_thread(print, ())', /can't start new thread/),
  raised(
    'uses a thread pool',
    'from concurrent.futures import ThreadPoolExecutor as T\nT().submit(print).result()',
    /can't start new thread/,
  ),
];

const filePrograms = (file: string, newFile: string): HostileProgram[] => [
  raised('reads a file of the host', `print(open(${JSON.stringify(file)}).read())`, /FileNotFoundError/),
  raised('reads /etc/passwd', 'print(open("/etc/passwd").read())', /FileNotFoundError/),
  raised('reads /proc/self/environ', 'print(open("/proc/self/environ").read())', /FileNotFoundError/),
  raised('reads through a link', 'import os\nos.symlink("/etc", "/tmp/e")\nopen("/tmp/e/passwd")', /FileNotFoundError/),
  raised('reads with pathlib and ..', 'import pathlib\npathlib.Path("../../etc/hostname").read_text()', /FileNotFound/),
  raised('writes a file', `with open("/tmp/x", "w") as f: f.write("x")`, /Read-only/),
  raised(
    'writes a file of the host',
    `import os\nos.makedirs(os.path.dirname(${JSON.stringify(newFile)}), exist_ok=True)
with open(${JSON.stringify(newFile)}, "w") as f: f.write("x")`,
    /Read-only/,
  ),
  raised('makes an 8 GB file', 'open("/tmp/a", "w").truncate(8 * 2**30)', /Read-only/),
  finished('removes everything', 'import shutil\nshutil.rmtree("/", ignore_errors=True)\nprint(1 + 1)', /^2$/m),
  ends(
    'makes files without end',
    'n = 0\nwhile True:\n    open(f"/tmp/{n}", "w").close()\n    n += 1',
    'time_limit',
    'memory_limit',
  ),
];

const ENVIRONMENT = [
  finished('prints its environment', 'import os, sys\nprint(dict(os.environ), sys.argv, sys.executable)', /web_user/),
  finished('asks who and where it is', 'import os, platform\nprint(os.getcwd(), os.uname(), platform.node())', /wasm/i),
];

const networkPrograms = (port: number): HostileProgram[] => [
  raised('connects', `import socket\nsocket.create_connection(("127.0.0.1", ${port}), 1).send(b"x")`, /OSError|Error/),
  raised('fetches', `import urllib.request\nurllib.request.urlopen("http://127.0.0.1:${port}/")`, /Error/),
  raised('sends a datagram', `import socket\nsocket.socket(2, 2).sendto(b"x", ("127.0.0.1", ${port}))`, /Error/),
  raised(
    'fetches as a browser',
    `from pyodide.http import open_url\nopen_url("http://127.0.0.1:${port}/")`,
    /not available/,
  ),
  raised(
    'fetches as a browser, unhidden',
    `${UNHIDE}from pyodide.http import open_url\nopen_url("http://127.0.0.1:${port}/")`,
    /Error/,
  ),
  ends(
    'loads a package',
    `${DIG}api.loadPackage("http://127.0.0.1:${port}/x-1-py3-none-any.whl")\nprint("x")`,
    'finished',
    'raised',
  ),
];

const TIME = [
  ends('loops', 'while True: pass', 'time_limit'),
  ends(
    'loops and swallows',
    'while True:\n    try:\n        while True: pass\n    except BaseException: pass',
    'time_limit',
  ),
  ends('loops in C', 'import collections, itertools\ncollections.deque(itertools.repeat(0), maxlen=0)', 'time_limit'),
  ends('raises to a great power', 'len(str(7 ** (10 ** 9)))', 'time_limit', 'memory_limit', 'raised'),
  ends('matches for ever', 'import re\nre.match(r"(a+)+$", "a" * 40 + "b")', 'time_limit'),
  ends('sleeps for years', 'import time\ntime.sleep(10**9)', 'time_limit', 'raised'),
  ends(
    'loops when it ends',
    'class A:\n    def __del__(self):\n        while True: pass\na = A()',
    'time_limit',
    'finished',
  ),
];

const MEMORY = [
  ends('takes 8 GB at once', 'x = bytearray(8 * 2**30)', 'memory_limit', 'raised'),
  ends('takes 1 GB at once', 'x = bytearray(2**30)', 'memory_limit'),
  ends('takes memory bit by bit', 'x = []\nwhile True: x.append(bytearray(2**20))', 'memory_limit'),
  ends(
    'takes memory and swallows',
    'x = []\nwhile True:\n    try: x.append("a" * 2**20)\n    except MemoryError: pass',
    'memory_limit',
    'time_limit',
  ),
  ends(
    'fills a pipe',
    'import os\nr, w = os.pipe()\nwhile True: os.write(w, bytes(2**20))',
    'memory_limit',
    'time_limit',
  ),
];

const OUTPUT = [
  ends('floods', 'while True: print("flood")', 'output_limit'),
  ends('floods at once', 'print("x" * 10**7)', 'output_limit'),
  ends('floods and swallows', 'while True:\n    try: print("flood")\n    except BaseException: pass', 'time_limit'),
  ends('ends in a great value', '"x" * 10**7', 'output_limit'),
  ends(
    'floods the descriptor',
    'import os\nfor _ in range(10**4): os.write(1, b"x" * 10**4)',
    'finished',
    'memory_limit',
    'time_limit',
  ),
  ends('raises a great error', 'raise ValueError("x" * 10**7)', 'raised'),
];

const STACK = [
  raised('recurses', 'def f(): return f()\nf()', /RecursionError/),
  ends(
    'recurses without a limit',
    'import sys\nsys.setrecursionlimit(10**9)\ndef f(): return f()\nf()',
    'crashed',
    'memory_limit',
    'time_limit',
  ),
  ends('nests a value', 'x = []\nfor _ in range(10**5): x = [x]\nrepr(x)', 'crashed', 'raised'),
  ends('nests its source', 'eval("(" * 10**5 + ")" * 10**5)', 'raised', 'crashed'),
];

const INTERPRETER = [
  finished(
    'unpickles a command',
    `import pickle
class A:
    def __reduce__(self):
        import os
        return os.system, ('id',)
print(pickle.loads(pickle.dumps(A())))`,
    /^-1$/m,
  ),
  ends('unmarshals garbage', 'import marshal\nexec(marshal.loads(b"c" + b"\\xff" * 200))', 'raised', 'crashed'),
  ends(
    'runs broken bytecode',
    'def f(): pass\nf.__code__ = f.__code__.replace(co_code=b"\\xff" * 200)\nf()',
    'crashed',
    'raised',
  ),
  ends('writes to raw memory', `${UNHIDE}import ctypes\nctypes.memset(0, 255, 2**26)`, 'crashed', 'raised'),
  ends(
    'calls C by name',
    `${UNHIDE}import ctypes\nctypes.CDLL(None).emscripten_run_script(b"process.exit(0)")`,
    'crashed',
    'raised',
    'finished',
  ),
  ends('kills itself', 'import signal\nsignal.raise_signal(9)', 'crashed'),
  ends('faults', 'import signal\nsignal.raise_signal(11)', 'crashed'),
  ends('leaves', 'import os\nos._exit(0)', 'crashed'),
  ends('aborts', 'import os\nos.abort()', 'crashed'),
  raised('asks the user', 'input()', /EOFError/),
  raised('exits', 'import sys\nsys.exit("no")', /SystemExit: no/),
];

export function hostilePrograms({ port, file, newFile }: Targets): HostileProgram[] {
  return [
    ...HOST_OBJECTS,
    ...PROCESSES,
    ...filePrograms(file, newFile),
    ...ENVIRONMENT,
    ...networkPrograms(port),
    ...TIME,
    ...MEMORY,
    ...OUTPUT,
    ...STACK,
    ...INTERPRETER,
  ];
}
