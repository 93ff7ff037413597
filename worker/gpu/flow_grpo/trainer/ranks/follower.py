"""A follower: a rank that carries out rank 0's commands, and ends when rank 0 does."""

import logging
import os
import time
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Thread

from flow_grpo.failures import Failure
from flow_grpo.trainer.memory import is_out_of_memory
from flow_grpo.trainer.rank import Rank
from flow_grpo.trainer.ranks.messages import Advanced, Broken, Command, Done, Join, LoadPlanner, Ready
from flow_grpo.trainer.ranks.process_group import find_store, join_group
from flow_grpo.trainer.step import Progress, use_deterministic_arithmetic

REPORT_S = 1.0

log = logging.getLogger(__name__)


def follow(channel: Connection) -> int:
    """Carry out commands until one cannot be. Returns the exit code; the process ends by itself when rank 0 is gone."""
    commands = SimpleQueue[Command]()
    Thread(target=_listen, args=(channel, commands), daemon=True).start()
    channel.send(Ready())
    try:
        rank = _join(commands.get())
        channel.send(Done(None))
        while True:
            channel.send(_obey(rank, commands.get(), _reports(channel)))
    except Exception as error:
        log.exception("a follower cannot go on")
        channel.send(Broken(f"{type(error).__name__}: {error}", is_out_of_memory(error)))
        return 1


def _listen(channel: Connection, commands: "SimpleQueue[Command]") -> None:
    """Pass commands on. Without rank 0 nothing else counts, not even a collective that waits for it."""
    while True:
        try:
            commands.put(channel.recv())
        except (EOFError, OSError):
            os._exit(0)


def _join(command: Command) -> Rank:
    assert isinstance(command, Join)
    use_deterministic_arithmetic(command.threads)
    ranks = join_group(find_store(command.port), command.rank, command.count)
    return Rank(command.models, command.planners, ranks)


def _obey(rank: Rank, command: Command, progress: Progress) -> Done:
    assert not isinstance(command, Join)
    try:
        if isinstance(command, LoadPlanner):
            rank.planner(command.model, command.weights, command.products, progress)
        else:
            rank.take_step(command.model, command.state, command.inputs, progress)
    except Failure as failure:
        # Rank 0 meets the same one, and raises it.
        return Done(str(failure))
    return Done(None)


def _reports(channel: Connection) -> Progress:
    """Progress that rank 0 hears of, not too often."""
    last = time.monotonic()

    def progress(_phase: str, _done: int, _total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= REPORT_S:
            last = time.monotonic()
            channel.send(Advanced())

    return progress
