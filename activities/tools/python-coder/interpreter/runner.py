"""Runs one program inside the sandbox. It lies in the interpreter's snapshot with the libraries already imported."""

import ast
import io
import json
import linecache
import random
import sys
import traceback

sys.path += ['/lib/libraries/sympy.whl', '/lib/libraries/mpmath.whl']
sys.set_int_max_str_digits(20_000)

import mpmath  # noqa: E402, F401
import sympy  # noqa: E402

# What sympy imports only when it is used first.
_x = sympy.symbols('x')
sympy.solve(_x**2 - 2, _x), sympy.integrate(sympy.sin(_x) * _x, _x), sympy.sympify('1/3').evalf(50)

FILE = '<program>'
# The way to JavaScript and to raw memory. Nothing lies behind it: the realm has no host objects. This is the first wall
# of several, and tells an honest program why it is wrong.
NOT_AVAILABLE = {'js', 'pyodide', 'pyodide_js', '_pyodide', '_pyodide_core', 'ctypes', '_ctypes'}


class OutputLimit(BaseException):
    """The program printed more than may come back."""


class Output(io.TextIOBase):
    def __init__(self, limit):
        self.parts = []
        self.room = limit

    def writable(self):
        return True

    def write(self, text):
        if len(text) > self.room:
            if self.room:
                self.parts.append(text[: self.room])
                self.room = 0
            raise OutputLimit
        self.parts.append(text)
        self.room -= len(text)
        return len(text)

    def text(self):
        return ''.join(self.parts)


class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in NOT_AVAILABLE:
            raise ModuleNotFoundError(f'the module {name} is not available here', name=name)


def run(request):
    """
    Takes {code, seed, outputLimit} and returns {status, output, error}, both as JSON. The status is `finished`, `raised`,
    `output_limit` or `memory_limit`; `output` is what was printed and the value of a last expression.
    """
    request = json.loads(request)
    random.seed(request['seed'])
    hide_host_modules()
    output = Output(request['outputLimit'])
    sys.stdin, sys.stdout, sys.stderr = io.StringIO(), output, output
    status, error = 'finished', ''
    try:
        execute(request['code'])
    except OutputLimit:
        status = 'output_limit'
    except MemoryError:
        status = 'memory_limit'
    except SystemExit as end:
        if end.code not in (None, 0):
            status, error = 'raised', f'SystemExit: {end.code}'
    except BaseException as raised:
        status, error = 'raised', describe(raised)
    return json.dumps({'status': status, 'output': output.text(), 'error': error[-request['outputLimit'] :]})


def execute(code):
    linecache.cache[FILE] = (len(code), None, code.splitlines(keepends=True), FILE)
    tree = ast.parse(code, FILE)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    names = {'__name__': '__main__', '__builtins__': __builtins__}
    exec(compile(tree, FILE, 'exec'), names)
    if last is None:
        return
    value = eval(compile(ast.Expression(last.value), FILE, 'eval'), names)
    if value is not None:
        print(repr(value))


def describe(raised):
    """The traceback from the program's first line on."""
    frames = raised.__traceback__
    while frames and frames.tb_frame.f_code.co_filename != FILE:
        frames = frames.tb_next
    return ''.join(traceback.format_exception(type(raised), raised, frames, limit=-8)).strip()


def hide_host_modules():
    for name in list(sys.modules):
        if name.partition('.')[0] in NOT_AVAILABLE:
            del sys.modules[name]
    sys.meta_path = [Absent(), *(finder for finder in sys.meta_path if type(finder).__name__ != 'JsFinder')]
