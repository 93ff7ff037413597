"""Entry point of a follower: python -m flow_grpo.trainer.ranks FD, where FD is its end of the pipe to rank 0."""

# ruff: noqa: E402 - the environment must be set before anything loads the matrix library

from flow_grpo.torch_environment import prepare_torch_environment

prepare_torch_environment()

import logging
import signal
import sys
from multiprocessing.connection import Connection

from transformers.utils.logging import disable_progress_bar

from flow_grpo.trainer.one_line import OneLineFormatter
from flow_grpo.trainer.ranks.follower import follow


def main() -> int:
    """Follow rank 0 until it is gone. Returns the exit code."""
    # A signal from the terminal is for rank 0; it ends its followers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(OneLineFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    disable_progress_bar()
    return follow(Connection(int(sys.argv[1])))


if __name__ == "__main__":
    sys.exit(main())
