"""A store that fails under a client: a clear error, nothing lost, and work resumes (law 1, law 3).

What each engine says of each fault is in ``tests.storage``.
"""

import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from pathlib import Path

import apsw
import pytest

import eprescription_sdk as ep
from eprescription_sdk.ledger import State
from eprescription_sdk.sandbox import AnswerAfter, Operation
from eprescription_sdk.storage import open_store
from eprescription_sdk.testing import sample_prescription
from tests.client.harness import World, eventually, world
from tests.postgres import Postgres

Fault = Callable[[World], AbstractContextManager[None]]


def file_of(stage: World) -> Path:
    assert stage.store.path is not None
    return stage.store.path


@contextmanager
def full_disk(stage: World) -> Iterator[None]:
    ballast = file_of(stage).with_name("ballast")
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(512))
    yield
    ballast.unlink()


@contextmanager
def read_only(stage: World) -> Iterator[None]:
    folder = str(file_of(stage).parent)
    stage.store.close()
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    yield
    subprocess.run(["mount", "-o", "remount,rw", folder], check=True)


@contextmanager
def corrupt_file(stage: World) -> Iterator[None]:
    stage.store.close()
    file = file_of(stage)
    before = file.read_bytes()
    file.write_bytes(b"junk" * 1024 + before[4096:])
    yield
    stage.store.close()
    file.write_bytes(before)


@contextmanager
def newer_schema(stage: World) -> Iterator[None]:
    def move(by: int) -> None:
        stage.store.close()
        with closing(apsw.Connection(str(file_of(stage)))) as connection:
            connection.pragma("user_version", connection.pragma("user_version") + by)

    move(1)
    yield
    move(-1)


@contextmanager
def other_library(stage: World) -> Iterator[None]:
    """It believes itself alone, and deletes the log as it leaves."""
    with closing(sqlite3.connect(file_of(stage))) as other:
        other.execute("SELECT count(*) FROM ledger").fetchall()
    yield


EMBEDDED: dict[str, tuple[Fault, type[ep.StoreError]]] = {
    "full disk": (full_disk, ep.StoreUnavailable),
    "read-only": (read_only, ep.StoreUnavailable),
    "corrupt": (corrupt_file, ep.StoreCorrupt),
    "newer schema": (newer_schema, ep.StoreTooNew),
    "another library": (other_library, ep.StoreUnsafe),
}


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """A volume of two megabytes."""
    folder = tmp_path / "volume"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("Needs the right to mount a small tmpfs, to fill it.")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def creates(stage: World) -> int:
    return sum(call.operation is Operation.CREATE for call in stage.sandbox.calls)


def refused(stage: World, kind: type[ep.StoreError]) -> None:
    """Sooner or later a create is refused before anything is sent; until then they work."""
    sent = [creates(stage)]

    def create_on() -> None:
        for _ in range(200):
            assert isinstance(stage.side.create(sample_prescription()), ep.Registered)
            sent.append(creates(stage))

    with pytest.raises(ep.StoreError) as caught:
        create_on()
    assert type(caught.value) is kind
    assert caught.value.path
    assert caught.value.way_out
    assert creates(stage) == sent[-1]


def settled(stage: World, known: list[ep.PrescriptionNumber | None]) -> None:
    """The store knows of all that was registered, and nothing is registered twice."""
    stage.later()

    def all_known() -> bool:
        stage.side.reconcile(stage.who)
        return all(stage.entry(number).state is State.REGISTERED for number in known)

    eventually(all_known, seconds=30)
    stage.agrees()
    registered = {kept.number for kept in stage.sandbox.registrations}
    assert registered == {number for number, state in stage.entries() if state == "registered"}


def play(stage: World, fault: Fault, kind: type[ep.StoreError]) -> None:
    first = stage.side.create(sample_prescription())
    stage.store.write(lambda _: None)
    with fault(stage):
        refused(stage, kind)
    last = stage.side.create(sample_prescription())
    assert isinstance(last, ep.Registered)
    settled(stage, [first.number, last.number])


@pytest.mark.parametrize("name", EMBEDDED)
def test_nothing_is_sent_that_cannot_be_written_and_work_resumes(
    name: str, side: str, volume: Path
) -> None:
    with world(volume, side, pilot=True) as stage:
        play(stage, *EMBEDDED[name])


@pytest.fixture(scope="module")
def mortal() -> Iterator[Postgres]:
    """A server of one's own, to be killed."""
    with Postgres() as server:
        yield server


@pytest.fixture
def shared(mortal: Postgres, side: str, tmp_path: Path) -> Iterator[World]:
    """A client whose store is on it."""
    with ExitStack() as stack:
        store = open_store(mortal.platform(mortal.database()))
        stack.callback(store.close)
        yield stack.enter_context(world(tmp_path, side, store=store, pilot=True))


def killed(server: Postgres) -> Fault:
    @contextmanager
    def fault(_: World) -> Iterator[None]:
        server.kill()
        yield
        server.start_again()

    return fault


def test_nothing_is_sent_while_the_server_is_gone(mortal: Postgres, shared: World) -> None:
    play(shared, killed(mortal), ep.StoreUnavailable)


def play_under_way(stage: World, fault: Fault) -> None:
    """The fault comes between the journal and the settlement of one create."""
    stage.sandbox.script(Operation.CREATE, AnswerAfter(4))
    with ThreadPoolExecutor(1) as thread:
        under_way = thread.submit(stage.side.create, sample_prescription())
        eventually(lambda: creates(stage) == 1)
        with fault(stage):
            outcome = under_way.result()
            # The prescriber is told the truth, whatever the store is up to.
            assert isinstance(outcome, ep.Registered)
            with suppress(ep.StoreError):
                stage.store.write(lambda _: None)
    settled(stage, [outcome.number])
    assert isinstance(stage.side.create(sample_prescription()), ep.Registered)


@pytest.mark.parametrize("name", ["full disk", "corrupt", "another library"])
def test_what_was_sent_is_settled_afterwards(name: str, side: str, volume: Path) -> None:
    with world(volume, side, pilot=True) as stage:
        play_under_way(stage, EMBEDDED[name][0])


def test_what_was_sent_is_settled_once_the_server_is_back(mortal: Postgres, shared: World) -> None:
    play_under_way(shared, killed(mortal))
