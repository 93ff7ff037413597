"""The lifeline: it beats while the event loop turns, whatever other threads compute, and its end is the process's."""

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from flow_grpo.lifeline import held_lifeline

ROOT = Path(__file__).parents[1]
BEATS = 3
PATIENCE_S = 60

_LONG_STEP = """
import asyncio, threading
import torch
from flow_grpo.lifeline import held_lifeline

def step(stop):
    a = torch.rand(1500, 1500)
    while not stop.is_set():
        (a @ a).sum().item()

async def main():
    stop = threading.Event()
    async with held_lifeline():
        threading.Thread(target=step, args=(stop,), daemon=True).start()
        await asyncio.Event().wait()

asyncio.run(main())
"""

_HUNG_LOOP = """
import asyncio, sys, time
from flow_grpo.lifeline import held_lifeline

async def main():
    async with held_lifeline():
        await asyncio.sleep(0)
        print("hanging", flush=True)
        time.sleep(3600)

asyncio.run(main())
"""


@contextmanager
def supervised(script: str) -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    here, there = socket.socketpair()
    environment = {**os.environ, "AGENTFLOW_LIFELINE": str(there.fileno()), "PYTHONPATH": str(ROOT)}
    with there:
        process = subprocess.Popen(
            [sys.executable, "-c", script], env=environment, pass_fds=[there.fileno()], stdout=subprocess.PIPE
        )
    here.settimeout(PATIENCE_S)
    try:
        yield process, here
    finally:
        process.kill()
        process.wait()
        here.close()


def test_a_long_computation_in_another_thread_does_not_silence_it() -> None:
    with supervised(_LONG_STEP) as (_, here):
        assert [here.recv(1) for _ in range(BEATS)] == [b"."] * BEATS


def test_a_loop_that_hangs_is_silent() -> None:
    with supervised(_HUNG_LOOP) as (process, here):
        assert process.stdout is not None
        assert process.stdout.readline() == b"hanging\n"
        while select.select([here], [], [], 0)[0]:
            here.recv(4096)
        assert select.select([here], [], [], 3.0)[0] == []


def test_the_process_ends_when_its_supervisor_has_gone() -> None:
    with supervised(_LONG_STEP) as (process, here):
        here.recv(1)
        here.close()
        assert process.wait(timeout=PATIENCE_S) == -signal.SIGTERM


def test_a_supervisor_that_reads_nothing_does_not_hold_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = socket.socketpair()
    with here, there:
        there.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                there.send(b"." * 4096)
        there.setblocking(True)
        monkeypatch.setenv("AGENTFLOW_LIFELINE", str(there.fileno()))

        async def beat() -> None:
            async with held_lifeline():
                await asyncio.sleep(0.01)

        asyncio.run(asyncio.wait_for(beat(), PATIENCE_S))
