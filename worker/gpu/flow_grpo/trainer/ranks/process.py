"""A follower's process as rank 0 sees it."""

import logging
import socket
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

import flow_grpo
from flow_grpo.trainer.ranks.attendance import Ended, Event, Told
from flow_grpo.trainer.ranks.messages import Command

PACKAGE = Path(flow_grpo.__file__).parents[1]

log = logging.getLogger(__name__)


class FollowerProcess:
    """Runs from its construction on. It ends when it is killed, when it cannot go on, and when this process ends."""

    def __init__(self, rank: int, events: "SimpleQueue[Event]") -> None:
        """`events`: where its reports go, and its end."""
        here, there = socket.socketpair()
        with there:
            command = [sys.executable, "-m", "flow_grpo.trainer.ranks", str(there.fileno())]
            self._process = subprocess.Popen(command, cwd=PACKAGE, stdin=subprocess.DEVNULL, pass_fds=[there.fileno()])
        self.rank = rank
        self._channel = Connection(here.detach())
        Thread(target=self._listen, args=(events,), daemon=True).start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def send(self, command: Command) -> None:
        """Give a command. To one that is gone it is of no effect: its end is an event."""
        try:
            self._channel.send(command)
        except OSError:
            log.warning("rank %d takes no commands any more", self.rank)

    def kill(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()

    def _listen(self, events: "SimpleQueue[Event]") -> None:
        with self._channel:
            while True:
                try:
                    events.put(Told(self.rank, self._channel.recv()))
                except (EOFError, OSError):
                    events.put(Ended(self.rank))
                    return
