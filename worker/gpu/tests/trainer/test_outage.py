"""I14: which errors of libraries and of the system are outages, and which are defects."""

import errno
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pydantic
import pytest
import torch
from temporalio.service import RPCError, RPCStatusCode

from flow_grpo.failures import Failure, FailureType
from flow_grpo.trainer.outage import is_outage
from flow_grpo.trainer.records import connect
from tests.postgres import free_port

Work = Callable[[], Any]


def raised(work: Work) -> BaseException:
    """What it raises."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        work()
    return caught.value


def throw(error: BaseException, cause: BaseException | None = None) -> Work:
    """Raises it."""

    def work() -> None:
        raise error from cause

    return work


def of_system(number: int) -> Work:
    return throw(OSError(number, "no"))


def write_to_a_full_disk() -> None:
    with Path("/dev/full").open("w") as file:
        file.write("x")


def connect_to_nobody() -> None:
    socket.create_connection(("127.0.0.1", free_port()), 5)


def database_of_nobody() -> None:
    with connect(f"postgres://u@127.0.0.1:{free_port()}/d"):
        pass


OUTAGES: dict[str, Work] = {
    "a full disk": write_to_a_full_disk,
    "nobody listens": connect_to_nobody,
    "no such host": lambda: socket.getaddrinfo("no-such-host.invalid", 1),
    "no database server": database_of_nobody,
    "a lost connection": throw(psycopg.OperationalError("the connection is lost")),
    "an answer that is late": throw(TimeoutError()),
    "a broken pipe": throw(BrokenPipeError()),
    **{errno.errorcode[number]: of_system(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE)},
    "Temporal is not there": throw(RPCError("no", RPCStatusCode.UNAVAILABLE, b"")),
    "an error that one of these caused": throw(RuntimeError("no"), ConnectionResetError()),
}


@pytest.mark.parametrize("name", OUTAGES)
def test_an_outage(name: str) -> None:
    error = raised(OUTAGES[name])
    assert is_outage(error), repr(error)


# PostgreSQL's own word for each.
@pytest.mark.parametrize(
    ("code", "outage"),
    [
        ("08P01", True),
        ("40001", True),
        ("40P01", True),
        ("53100", True),
        ("53300", True),
        ("55P03", True),
        ("57014", True),
        ("57P01", True),
        ("57P03", True),
        ("25006", True),
        ("22003", False),
        ("22021", False),
        ("23502", False),
        ("23505", False),
        ("42P01", False),
        ("XX000", False),
    ],
)
def test_errors_of_the_database(database_url: str, code: str, outage: bool) -> None:
    def work() -> None:
        with connect(database_url) as connection:
            connection.execute(b"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '%s'; END $$" % code.encode())

    error = raised(work)
    assert isinstance(error, psycopg.Error)
    assert is_outage(error) == outage


class Shape(pydantic.BaseModel):
    """Anything."""

    a: int


def one_more_than_fits() -> None:
    torch.empty(1 << 60)


DEFECTS: dict[str, Work] = {
    "a TypeError": lambda: len(None),  # pyright: ignore[reportArgumentType]
    "a shape that does not fit": lambda: torch.zeros(2) @ torch.zeros(3),
    "what pydantic refuses": lambda: Shape.model_validate({}),
    "a file that is gone": lambda: Path("/nowhere/x").read_bytes(),
    "a directory in the place of a file": lambda: Path("/").read_bytes(),
    "memory that no machine has": one_more_than_fits,
    "memory of the device": throw(torch.OutOfMemoryError("CUDA out of memory")),
    "a NUL character": throw(psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")),
    "a failure of the closed list": throw(Failure(FailureType.NotFound, "no")),
    "a request that Temporal refuses": throw(RPCError("no", RPCStatusCode.INVALID_ARGUMENT, b"")),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect(name: str) -> None:
    error = raised(DEFECTS[name])
    assert not is_outage(error), repr(error)


def test_a_chain_of_causes_that_is_a_circle_ends() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert not is_outage(one)
