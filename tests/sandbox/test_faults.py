"""Each scripted fault, as a client sees it on its socket."""

import http.client
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import pytest
from lxml import etree

from eprescription_sdk.sandbox import (
    AnswerAfter,
    CommitLate,
    CommitThenDrop,
    DropBeforeCommit,
    Endless,
    ExpiredCredential,
    Fault,
    FaultCode,
    Malformed,
    Operation,
    Refuse,
    ResetMidBody,
    Sandbox,
    StaleConsult,
    Truncated,
    Unavailable,
)
from tests.sandbox.envelopes import consult, create, creation, envelope, post, search

CREATE = Operation.CREATE


def wait_until(condition: Callable[[], bool], seconds: float = 3.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "It did not happen in time."
        time.sleep(0.005)


def answered(sandbox: Sandbox) -> str | None:
    return sandbox.calls[-1].answered


def test_commit_then_drop(sandbox: Sandbox) -> None:
    sandbox.script(CREATE, CommitThenDrop())
    with pytest.raises(ConnectionError):
        create(sandbox.url, "SIM1")
    assert sandbox.count("SIM1") == 1
    assert (answered(sandbox), sandbox.calls[-1].fault) == ("dropped", "CommitThenDrop")
    assert consult(sandbox.url, "SIM1").code == "00"


def test_drop_before_commit(sandbox: Sandbox) -> None:
    sandbox.script(CREATE, DropBeforeCommit())
    with pytest.raises(ConnectionError):
        create(sandbox.url, "SIM1")
    assert sandbox.count("SIM1") == 0
    assert answered(sandbox) == "dropped"


def test_not_one_byte_of_an_answer_is_sent(sandbox: Sandbox) -> None:
    sandbox.script(CREATE, CommitThenDrop())
    parts = urlsplit(sandbox.url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=5)
    connection.request(
        "POST",
        parts.path,
        envelope("creer", creation("SIM1")).encode(),
        {"Content-Type": "application/soap+xml"},
    )
    assert connection.sock is not None
    with pytest.raises(ConnectionResetError):
        connection.sock.recv(1)
    connection.close()


def test_commit_late_happens_whatever_the_client_does(sandbox: Sandbox) -> None:
    sandbox.script(CREATE, CommitLate(after=8))  # 0.4 s here
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        create(sandbox.url, "SIM1", timeout=0.1)
    assert sandbox.count("SIM1") == 0
    assert answered(sandbox) is None
    assert consult(sandbox.url, "SIM1").code == "01"
    wait_until(lambda: sandbox.count("SIM1") == 1)
    assert time.monotonic() - began >= 0.4
    wait_until(lambda: sandbox.calls[0].answered == "00")


def test_commit_late_answers_who_is_still_there(sandbox: Sandbox) -> None:
    sandbox.script(CREATE, CommitLate(after=4))
    began = time.monotonic()
    assert create(sandbox.url, "SIM1").code == "00"
    assert time.monotonic() - began >= 0.2


def test_commit_late_holds_nobody_else_up(sandbox: Sandbox) -> None:
    sandbox.script(CREATE, CommitLate(after=20))
    late = threading.Thread(target=create, args=(sandbox.url, "SIM1"))
    late.start()
    wait_until(lambda: len(sandbox.calls) == 1)
    assert create(sandbox.url, "SIM2").code == "00"
    assert sandbox.count("SIM1") == 0
    late.join()
    assert sandbox.count("SIM1") == 1


def test_two_late_commits_of_one_number_make_one_registration(sandbox: Sandbox) -> None:
    sandbox.script(CREATE, CommitLate(after=6))
    with pytest.raises(TimeoutError):
        create(sandbox.url, "SIM1", timeout=0.05)
    assert create(sandbox.url, "SIM1").code == "00"
    wait_until(lambda: sandbox.calls[0].answered == "sdkref_exists")
    assert sandbox.count("SIM1") == 1


def test_answer_after(sandbox: Sandbox) -> None:
    sandbox.script(CREATE, AnswerAfter(13))  # 0.65 s here
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        create(sandbox.url, "SIM1", timeout=0.2)
    assert sandbox.count("SIM1") == 1
    sandbox.script(CREATE, AnswerAfter(4))
    began = time.monotonic()
    assert create(sandbox.url, "SIM2").code == "00"
    assert time.monotonic() - began >= 0.2


def test_unavailable(sandbox: Sandbox) -> None:
    sandbox.script(CREATE, Unavailable(retry_after=60))
    reply = create(sandbox.url, "SIM1")
    assert (reply.status, reply.headers["retry-after"]) == (503, "3")
    assert b"Envelope" not in reply.body
    assert sandbox.count("SIM1") == 0
    sandbox.script(CREATE, Unavailable(status=502))
    reply = create(sandbox.url, "SIM1")
    assert reply.status == 502
    assert "retry-after" not in reply.headers
    assert answered(sandbox) == "HTTP 502"


def test_a_short_retry_after_is_rounded_up(sandbox: Sandbox) -> None:
    sandbox.script(None, Unavailable(retry_after=2))
    assert search(sandbox.url).headers["retry-after"] == "1"


def test_a_retry_after_may_be_a_date(sandbox: Sandbox) -> None:
    sandbox.script(None, Unavailable(retry_after=600, as_date=True))
    told = parsedate_to_datetime(search(sandbox.url).headers["retry-after"])
    assert 28 <= (told - datetime.now(UTC)).total_seconds() <= 30


@pytest.mark.parametrize("commit", [False, True])
@pytest.mark.parametrize(("sender", "status"), [(True, 400), (False, 500)])
def test_fault_code(sandbox: Sandbox, commit: bool, sender: bool, status: int) -> None:
    sandbox.script(CREATE, FaultCode("abc_1", "siram_9", sender=sender, commit=commit))
    reply = create(sandbox.url, "SIM1")
    assert (reply.status, reply.code) == (status, "abc_1")
    assert sandbox.count("SIM1") == int(commit)
    assert answered(sandbox) == "abc_1"


def test_expired_credential(sandbox: Sandbox) -> None:
    sandbox.script(CREATE, ExpiredCredential())
    reply = create(sandbox.url, "SIM1")
    assert (reply.status, reply.code) == (400, "sdkref_auth")
    assert sandbox.count("SIM1") == 0
    assert create(sandbox.url, "SIM1").code == "00"


def test_malformed(sandbox: Sandbox) -> None:
    sandbox.script(CREATE, Malformed())
    reply = create(sandbox.url, "SIM1")
    assert reply.status == 200
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(reply.body)
    assert sandbox.count("SIM1") == 1


def test_truncated(sandbox: Sandbox) -> None:
    sandbox.script(CREATE, Truncated())
    with pytest.raises(http.client.IncompleteRead) as caught:
        create(sandbox.url, "SIM1")
    assert caught.value.partial
    assert caught.value.expected
    assert sandbox.count("SIM1") == 1


def test_reset_mid_body(sandbox: Sandbox) -> None:
    sandbox.script(CREATE, ResetMidBody())
    parts = urlsplit(sandbox.url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=5)
    text = envelope("creer", creation("SIM1"))
    connection.request("POST", parts.path, text.encode(), {"Content-Type": "application/soap+xml"})
    reply = connection.getresponse()
    assert reply.status == 200
    assert reply.read(10)
    with pytest.raises(ConnectionResetError):
        reply.read()
    connection.close()
    assert sandbox.count("SIM1") == 1


def test_endless_until_the_client_leaves(sandbox: Sandbox) -> None:
    sandbox.script(CREATE, Endless())
    parts = urlsplit(sandbox.url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=5)
    text = envelope("creer", creation("SIM1"))
    connection.request("POST", parts.path, text.encode(), {"Content-Type": "application/soap+xml"})
    reply = connection.getresponse()
    read = reply.read(1_000_000)
    assert len(read) == 1_000_000
    etree.XMLPullParser().feed(read)  # well-formed so far
    reply.close()
    connection.close()
    assert sandbox.count("SIM1") == 1
    assert consult(sandbox.url, "SIM1").code == "00"


def test_endless_is_bounded_all_the_same(sandbox: Sandbox) -> None:
    sandbox.script(CREATE, Endless(limit=200_000))
    with pytest.raises((ConnectionError, http.client.IncompleteRead)):
        create(sandbox.url, "SIM1")


def test_stale_consult_lasts_as_long_as_it_says(sandbox: Sandbox) -> None:
    sandbox.script(Operation.CONSULT, StaleConsult(8))  # 0.4 s here
    assert consult(sandbox.url, "SIM1").code == "01"
    create(sandbox.url, "SIM1")
    began = time.monotonic()
    assert consult(sandbox.url, "SIM1").code == "01"
    assert consult(sandbox.url, "SIM1").code == "01"
    assert sandbox.pending_faults == 1
    wait_until(lambda: consult(sandbox.url, "SIM1").code == "00")
    assert time.monotonic() - began >= 0.39
    assert sandbox.pending_faults == 0
    create(sandbox.url, "SIM2")
    assert consult(sandbox.url, "SIM2").code == "00"


def test_faults_are_played_in_order_for_their_operation(sandbox: Sandbox) -> None:
    sandbox.script(CREATE, FaultCode("first"), times=2)
    sandbox.script(None, FaultCode("any"))
    sandbox.script(CREATE, FaultCode("last"))
    assert sandbox.pending_faults == 4
    assert search(sandbox.url).code == "any"
    codes = [create(sandbox.url, "SIM1").code for _ in range(4)]
    assert codes == ["first", "first", "last", "00"]
    assert sandbox.pending_faults == 0


def test_a_request_nobody_can_read_meets_scripts_for_any(sandbox: Sandbox) -> None:
    sandbox.script(CREATE, FaultCode("create"))
    assert post(sandbox.url, "nonsense").code == "sdkref_invalid"
    sandbox.script(None, FaultCode("any"))
    assert post(sandbox.url, "nonsense").code == "any"


def test_a_committing_fault_does_not_commit_what_is_invalid(sandbox: Sandbox) -> None:
    sandbox.script(CREATE, CommitThenDrop())
    with pytest.raises(ConnectionError):
        create(sandbox.url, "lower")
    assert sandbox.registrations == []


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        (Operation.CREATE, Refuse()),
        (Operation.CREATE, StaleConsult(1)),
        (Operation.TRACE, Malformed()),
        (Operation.TRACE, CommitLate(1)),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(
    sandbox: Sandbox, operation: Operation, fault: Fault
) -> None:
    with pytest.raises(ValueError, match="cannot be played"):
        sandbox.script(operation, fault)


def test_a_fault_is_played_at_least_once(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="at least once"):
        sandbox.script(CREATE, Malformed(), times=0)


def test_faults_leave_no_noise_in_the_logs(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    for fault in (CommitThenDrop(), ResetMidBody(), Truncated(), Endless(limit=100_000)):
        sandbox.script(CREATE, fault)
        with pytest.raises((ConnectionError, http.client.IncompleteRead)):
            create(sandbox.url, "SIM1")
    sandbox.script(CREATE, AnswerAfter(4))
    with pytest.raises(TimeoutError):
        create(sandbox.url, "SIM2", timeout=0.05)
    sandbox.script(CREATE, CommitLate(1000))
    with pytest.raises(TimeoutError):
        create(sandbox.url, "SIM3", timeout=0.05)
    sandbox.stop()
    assert [record for record in caplog.records if record.name != "asyncio"] == []
    assert "SIM" not in caplog.text
