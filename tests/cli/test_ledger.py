"""``eprescription ledger``: what the support desk sees, as a person types it."""

import json
from datetime import UTC, datetime, timedelta

import attrs
import pytest
from rich.console import Console

import eprescription_sdk as ep
from eprescription_sdk.cli.ledger import find
from eprescription_sdk.clock import paris_day
from eprescription_sdk.model.pseudonym import pseudonym
from eprescription_sdk.sandbox import CommitThenDrop, ExpiredCredential, Operation
from eprescription_sdk.testing import SAMPLE_RPPS, sample_prescription, sandbox_practitioner
from tests.cli.test_commands import Company, company, run

__all__ = ["company"]


def uncertain(company: Company, *, reference: str = "réf") -> ep.Uncertain:
    """A prescription that is registered, and whose call ended without knowing."""
    settings = attrs.evolve(
        company.settings,
        environment=ep.Environment.SANDBOX,
        uncertain_policy=ep.UncertainPolicy.PLAIN,
    )
    company.sandbox.script(Operation.CREATE, CommitThenDrop())
    company.sandbox.script(Operation.CONSULT, ExpiredCredential())
    who = sandbox_practitioner(company.sandbox)
    with ep.Client(settings) as client:
        outcome = client.acting_as(who).create(sample_prescription(reference=reference))
    assert isinstance(outcome, ep.Uncertain)
    return outcome


def test_find_by_each_key(company: Company) -> None:
    outcome = uncertain(company)
    today = paris_day(datetime.now(UTC)).isoformat()
    for asked in (
        ("--number", outcome.number.value),
        ("--reference", "réf"),
        ("--prescriber", SAMPLE_RPPS.value, "--day", today),
    ):
        done = run("ledger", "find", *asked, "--json", "--settings", company.file)
        assert done.returncode == 0, done.stderr
        (entry,) = json.loads(done.stdout)
        assert entry["number"] == outcome.number.value
        assert entry["state"] == "uncertain"
        assert entry["pseudonym"] == pseudonym(company.settings.key, "number", entry["number"])
        # The create's id is what the service's support asks for.
        assert entry["message_ids"] == [outcome.attempts[0].message_id]
    shown = run("ledger", "find", "--reference", "réf", "--settings", company.file).stdout
    assert "incertaine" in shown
    assert outcome.attempts[0].message_id in shown


def test_find_asks_for_one_thing_and_says_when_there_is_nothing(company: Company) -> None:
    for asked in ((), ("--number", "A", "--reference", "r"), ("--prescriber", SAMPLE_RPPS.value)):
        done = run("ledger", "find", *asked, "--settings", company.file)
        assert done.returncode not in (0, 1) or "Ask for one thing" in done.stdout + done.stderr
    done = run("ledger", "find", "--number", "ABSENT", "--settings", company.file)
    assert done.returncode == 1
    assert "Nothing" in done.stdout


def test_a_duplicate_risk_is_listed_until_a_person_closes_it(company: Company) -> None:
    outcome = uncertain(company)
    settings = attrs.evolve(company.settings, environment=ep.Environment.SANDBOX)
    with ep.Client(settings) as client:
        client.reconcile(credentials=[sandbox_practitioner(company.sandbox)])
    number = outcome.number.value
    listed = run("ledger", "risks", "--json", "--settings", company.file)
    assert [each["number"] for each in json.loads(listed.stdout)] == [number]
    close = ("ledger", "close-risk", "--number", number, "--by", "Camille", "--reason")
    assert run(*close, " ", "--settings", company.file).returncode != 0
    assert run(*close, "papier repris", "--settings", company.file).returncode == 0
    assert run(*close, "papier repris", "--settings", company.file).returncode == 1
    assert "0 open" in run("ledger", "risks", "--settings", company.file).stdout


def test_purge_leaves_what_is_young_or_open(company: Company) -> None:
    uncertain(company)
    done = run("ledger", "purge", "--settings", company.file)
    assert (done.returncode, done.stdout.strip()) == (0, "0 purged.")
    assert run("ledger", "purge", "--days", "0", "--settings", company.file).returncode != 0


def test_purge_takes_what_is_old(company: Company) -> None:
    settings = attrs.evolve(company.settings, environment=ep.Environment.SANDBOX)
    from eprescription_sdk.clock import SimulatedClock

    clock = SimulatedClock(datetime.now(UTC) - timedelta(days=400))
    with ep.Client(settings, clock=clock) as client:
        outcome = client.acting_as(sandbox_practitioner(company.sandbox)).create(
            sample_prescription(reference="réf")
        )
    assert outcome.number is not None
    dry = run("ledger", "purge", "--dry-run", "--settings", company.file)
    assert dry.stdout.strip() == "1 would be purged."
    assert run("ledger", "purge", "--settings", company.file).stdout.strip() == "1 purged."
    done = run(
        "ledger", "find", "--number", outcome.number.value, "--json", "--settings", company.file
    )
    (entry,) = json.loads(done.stdout)
    assert entry["purged"]
    assert entry["prescriber"] is None


def test_find_on_a_narrow_terminal_breaks_no_number(
    company: Company, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = uncertain(company)
    for columns, beside in ((40, False), (80, True)):
        narrow = Console(width=columns, force_terminal=True, color_system=None, highlight=False)
        monkeypatch.setattr("eprescription_sdk.cli.ledger.console", lambda: narrow)  # noqa: B023
        find(reference="réf", settings=company.file)
        shown = capsys.readouterr().out
        message_id = outcome.attempts[0].message_id
        assert (f"message id       {message_id}" in shown.splitlines()) is beside
        assert (message_id in shown.splitlines()) is not beside
