"""Starting, stopping, refusing connections, and what a sandbox shows."""

import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

import eprescription_sdk.sandbox
from eprescription_sdk.clock import SimulatedClock
from eprescription_sdk.errors import MissingExtra
from eprescription_sdk.sandbox import CommitLate, Operation, Sandbox
from tests.sandbox.envelopes import INS, RPPS, assertion, consult, create, creation, envelope, post


def test_the_names_are_complete() -> None:
    for name in eprescription_sdk.sandbox.__all__:
        assert getattr(eprescription_sdk.sandbox, name) is not None
    assert sorted(eprescription_sdk.sandbox.__all__) == eprescription_sdk.sandbox.__all__


def test_there_is_no_address_before_it_starts() -> None:
    with pytest.raises(RuntimeError, match="not started"):
        _ = Sandbox().url
    with pytest.raises(RuntimeError, match="not started"), Sandbox().refusing_connections():
        pass


def test_starting_and_stopping_twice_does_no_harm() -> None:
    sandbox = Sandbox(verify_assertions=False)
    assert sandbox.start() is sandbox
    url = sandbox.url
    assert sandbox.start().url == url
    sandbox.stop()
    sandbox.stop()


def test_state_and_address_outlive_a_stop() -> None:
    sandbox = Sandbox(verify_assertions=False)
    with sandbox:
        url = sandbox.url
        create(url, "SIM1")
    assert sandbox.count("SIM1") == 1
    with pytest.raises(ConnectionRefusedError):
        create(url, "SIM2")
    with sandbox:
        assert sandbox.url == url
        assert consult(url, "SIM1").code == "00"


def test_stop_ends_its_thread_and_holds_nothing() -> None:
    before = threading.active_count()
    sandbox = Sandbox(verify_assertions=False)
    with sandbox:
        sandbox.script(Operation.CREATE, CommitLate(after=60))
        with pytest.raises(TimeoutError):
            create(sandbox.url, "SIM1", timeout=0.05)
    assert threading.active_count() == before
    assert sandbox.count("SIM1") == 0
    assert sandbox.calls[0].answered == "dropped"


def test_a_port_that_is_taken_is_an_error(sandbox: Sandbox) -> None:
    port = int(sandbox.url.split(":")[2].split("/")[0])
    with pytest.raises(OSError, match="in use"):
        Sandbox(port=port).start()


def test_refusing_connections_is_real_and_keeps_the_state(sandbox: Sandbox) -> None:
    create(sandbox.url, "SIM1")
    with sandbox.refusing_connections():
        for _ in range(3):
            with pytest.raises(ConnectionRefusedError):
                consult(sandbox.url, "SIM1")
    assert consult(sandbox.url, "SIM1").code == "00"
    with sandbox.refusing_connections(), pytest.raises(ConnectionRefusedError):
        consult(sandbox.url, "SIM1")
    assert [call.answered for call in sandbox.calls] == ["00", "00"]


def test_refusing_connections_resets_those_that_are_open(sandbox: Sandbox) -> None:
    sandbox.script(Operation.CREATE, CommitLate(after=6))
    seen: list[type[BaseException]] = []

    def attempt() -> None:
        try:
            create(sandbox.url, "SIM1")
        except OSError as error:
            seen.append(type(error))

    client = threading.Thread(target=attempt)
    client.start()
    while not sandbox.calls:
        time.sleep(0.005)
    with sandbox.refusing_connections():
        client.join(2)
        assert seen == [ConnectionResetError]
        assert sandbox.count("SIM1") == 0
        until = time.monotonic() + 3
        while not sandbox.count("SIM1") and time.monotonic() < until:
            time.sleep(0.005)
    # The commit was under way: refusing connections does not undo it.
    assert sandbox.count("SIM1") == 1


def test_stopping_while_refusing(sandbox: Sandbox) -> None:
    with sandbox.refusing_connections():
        sandbox.stop()
    with pytest.raises(ConnectionRefusedError):
        consult(sandbox.url, "SIM1")


def test_other_addresses_and_methods(sandbox: Sandbox) -> None:
    assert post(sandbox.url, "", method="GET").status == 405
    assert post(sandbox.url + "/nowhere", "").status == 404


def test_a_client_that_leaves_in_the_middle_of_its_request(sandbox: Sandbox) -> None:
    parts = urlsplit(sandbox.url)
    with socket.create_connection(("127.0.0.1", parts.port or 0), timeout=5) as client:
        client.sendall(b"POST /teleservice HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n<a")
    assert create(sandbox.url, "SIM1").code == "00"
    assert len(sandbox.calls) == 1


def test_nothing_secret_shows_in_a_repr(sandbox: Sandbox) -> None:
    create(sandbox.url, "SIMCANARI")
    shown = repr(sandbox.registrations) + repr(sandbox.calls) + repr(sandbox)
    for secret in ("SIMCANARI", RPPS, INS):
        assert secret not in shown
    assert "57833-6" in shown


def test_it_follows_the_clock_it_is_given() -> None:
    then = datetime(2031, 5, 4, 12, 0, tzinfo=UTC)
    clock = SimulatedClock(then)
    with Sandbox(clock=clock, verify_assertions=False) as sandbox:
        assert create(sandbox.url, "SIM1").code == "sdkref_invalid"
        token = assertion(begins=then - timedelta(minutes=1), ends=then + timedelta(minutes=5))
        reply = post(sandbox.url, envelope("creer", creation("SIM1"), token, now=then))
        assert reply.code == "00"
        registered = sandbox.registrations[0].registered_at
        assert timedelta(0) <= registered - then < timedelta(minutes=1)


def test_many_threads_at_once(sandbox: Sandbox) -> None:
    def work(worker: int) -> None:
        for n in range(10):
            create(sandbox.url, f"SIM{n}")
            create(sandbox.url, f"SIM{worker}X{n}")

    workers = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(sandbox.registrations) == 90
    assert len(sandbox.calls) == 160
    assert all(sandbox.count(f"SIM{n}") == 1 for n in range(10))


@pytest.mark.parametrize("missing", ["starlette", "uvicorn", "xmlsec"])
def test_a_missing_extra_is_named(missing: str) -> None:
    script = (
        f"import sys; sys.modules['{missing}'] = None\n"
        "from eprescription_sdk.errors import MissingExtra\n"
        "from eprescription_sdk.sandbox import Sandbox\n"
        "try: Sandbox().start()\n"
        "except MissingExtra as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True
    )
    assert "eprescription-sdk[sandbox]" in done.stdout
    assert MissingExtra("sandbox").code in done.stdout


@pytest.mark.parametrize("missing", ["zxingcpp", "PIL"])
def test_a_scan_names_the_missing_extra(missing: str, tmp_path: Path) -> None:
    picture = tmp_path / "white.png"
    Image.new("L", (9, 9), 255).save(picture)
    script = (
        f"import sys; sys.modules['{missing}'] = None\n"
        "from pathlib import Path\n"
        "from eprescription_sdk.errors import MissingExtra\n"
        "from eprescription_sdk.sandbox import Sandbox\n"
        "try: Sandbox().scan(Path(sys.argv[1]))\n"
        "except MissingExtra as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, picture],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert "eprescription-sdk[sandbox]" in done.stdout


def test_its_names_cost_no_server() -> None:
    script = (
        "import sys, eprescription_sdk.sandbox\n"
        "heavy = ('starlette', 'uvicorn', 'xmlsec', 'zxingcpp', 'PIL')\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.strip() == "[]"
