"""The commands of the pilot, as a new user meets them: only from what the commands say."""

import io
import json
import os
import pty
import re
import select
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from eprescription_sdk.cli.app import app
from eprescription_sdk.errors import EPrescriptionError
from eprescription_sdk.ledger import journal
from eprescription_sdk.model.identifiers import Rpps
from eprescription_sdk.pilot.dossier import Dossier
from eprescription_sdk.storage import SqliteStore
from tests.ledger.entries import entry
from tests.pilot.samples import EXAMPLE, RPPS
from tests.settings_file import settings_file

Run = Callable[..., tuple[int, str]]

TOMORROW = date.today() + timedelta(days=30)  # noqa: DTZ011  (any day to come will do)
PAST = TOMORROW - timedelta(days=60)
NOTE = ("--by", "essai", "--reference", "REF-1")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command as from a pipe: exit code, and what it says."""
    monkeypatch.setattr("sys.stdin", io.StringIO())

    def run(*arguments: str | Path) -> tuple[int, str]:
        capsys.readouterr()
        try:
            code = app(
                [str(each) for each in arguments],
                result_action="return_int_as_exit_code_else_zero",
                exit_on_error=False,
            )
        except EPrescriptionError as error:
            return 1, capsys.readouterr().out + str(error)
        return int(code), capsys.readouterr().out

    return run


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    return settings_file(tmp_path)


@pytest.fixture
def applied(run: Run, settings: Path) -> tuple[str, Path]:
    """The options that name a store with the example's dossier, running."""
    options = ("--settings", settings)
    assert run("pilot", "apply", EXAMPLE, "--by", "essai", *options)[0] == 0
    assert run("pilot", "start", "--day", "2025-03-17", *NOTE, *options)[0] == 0
    return options


def flags() -> list[str]:
    answers = {
        "authorisation.kind": "Société de Téléconsultation",
        "authorisation.number": "AB12",
        "authorisation.granted_on": PAST,
        "authorisation.reference": "CNDA-1",
        "pilot.first_pilot": "oui",
        "practitioners.agreed_on": PAST,
        "practitioners.equipment_checked_on": PAST,
        "practitioners.software_version": "4.2.0",
        "practitioners.salaried": "oui",
        "practitioners.card_valid_until": TOMORROW + timedelta(days=400),
    }
    named = {
        "--name": "Présérie Essai", "--company": "Télé Essai", "--finess": "330781287",
        "--module": "exemple-on-1", "--profession": "10", "--cpam": "33",
    }  # fmt: skip
    return [
        *(part for pair in named.items() for part in pair),
        *(
            part
            for number, rpps in enumerate(RPPS)
            for part in ("--practitioner", f"{rpps},SIT-{number},{TOMORROW}")
        ),
        *(part for path, value in answers.items() for part in ("--set", f"{path}={value}")),
    ]


def test_init_check_apply_export_from_flags_alone(run: Run, settings: Path, tmp_path: Path) -> None:
    path, folder, options = tmp_path / "p[1].toml", tmp_path / "[out]", ("--settings", settings)
    code, said = run("pilot", "init", path, *flags())
    assert code == 0
    assert "missing" not in said
    assert f"pilot check {path}" in said
    code, said = run("pilot", "check", path)
    assert (code, "can be applied" in said) == (0, True)
    assert "pilot apply" in said
    code, said = run("pilot", "apply", path, "--by", "essai", *options)
    assert (code, "Applied." in said) == (0, True)
    assert "pilot export" in said
    assert not [rpps for rpps in RPPS if rpps in said]
    code, said = run("pilot", "export", folder, *options)
    assert code == 0
    *files, then = said.splitlines()
    assert {line.rpartition("/")[2] for line in files} == {each.name for each in folder.iterdir()}
    assert "[declaration]" in then
    assert Dossier.from_toml(folder / "dossier.toml") == Dossier.from_toml(path)


def test_init_without_an_answer_leaves_comments_to_fill_in(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "pilot.toml"
    code, said = run("pilot", "init", path)
    assert code == 0
    assert "company.finess" in said
    assert "# finess = " in path.read_text(encoding="utf-8")
    code, said = run("pilot", "check", path)
    assert code == 1
    assert re.search(r"company\.finess: This key is missing\. \(line \d+\)", said)


def test_an_unfinished_dossier_is_held_against_what_it_says(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "pilot.toml"
    day = TOMORROW - timedelta(days=40)
    run(
        "pilot",
        "init",
        path,
        "--practitioner",
        f"{RPPS[0]},S,{day}",
        "--set",
        "pilot.first_pilot=non",
    )
    code, said = run("pilot", "check", path)
    assert code == 1
    for part in (
        "company.finess: This key is missing.",
        "pilot.first_pilot: These conditions are for",
        "practitioners: 1 practitioners are equipped; at least 5 must be.",
        "kit: The accompanying kit is missing.",
    ):
        assert part in said
    assert "card_valid_until: The card" not in said
    findings, _ = json.JSONDecoder().raw_decode(run("pilot", "check", path, "--json")[1])
    assert {"pilot.first_pilot", "kit"} <= {each["path"] for each in findings}


def test_no_flag_stands_for_nothing(run: Run) -> None:
    for command in ("init", "prolong"):
        assert "--empty" not in run("pilot", command, "--help")[1]


def test_init_keeps_a_file_and_refuses_wrong_flags(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "pilot.toml"
    path.write_text("mine", encoding="utf-8")
    assert "[EP-INPUT] The file exists." in run("pilot", "init", path)[1]
    assert path.read_text(encoding="utf-8") == "mine"
    code, said = run(
        "pilot", "init", path, "--force", "--finess", "12", "--set", "zorg=1",
        "--practitioner", RPPS[1], "--practitioner", f"{RPPS[0]},S,demain",
    )  # fmt: skip
    assert code == 1
    for part in ("company.finess:", "zorg: This key is unknown", "practitioners[1].go_live:"):
        assert part in said
    assert path.read_text(encoding="utf-8") == "mine"


def test_init_asks_on_a_terminal(tmp_path: Path) -> None:
    """A real terminal; a wrong answer is asked for again; the next practitioner has defaults."""
    path = tmp_path / "pilot.toml"
    program = "from eprescription_sdk.cli import main; main()"
    leader, follower = pty.openpty()
    started = subprocess.Popen(
        [sys.executable, "-c", program, "pilot", "init", str(path), "--name", "Essai"],
        stdin=follower, stdout=follower, stderr=follower,
    )  # fmt: skip
    os.close(follower)
    answers = {
        "Catégorie": "", "Identité du module": "exemple-on-1", "Aucune présérie": "",
        "Nom de la société": "Télé", "N° FINESS": "12|330781287", "Autorisée en tant que": "",
        "CPAM, par numéro": "33, 69", "N° RPPS": f"{RPPS[0]}|{RPPS[1]}|",
        "Situation d'exercice": "S-1|S-2", "Installation, quel jour": "2030-01-07|",
    }  # fmt: skip
    waiting = {question: text.split("|") for question, text in answers.items()}
    seen, asked, deadline = "", 0, time.monotonic() + 60
    while started.poll() is None and time.monotonic() < deadline:
        if not select.select([leader], [], [], 0.2)[0]:
            continue
        try:
            seen += os.read(leader, 65536).decode(errors="replace")
        except OSError:
            break
        while (end := seen.find(" ? ", asked)) >= 0:
            question = seen[max(seen.rfind("\n", 0, end), 0) : end]
            given = next((left for name, left in waiting.items() if name in question), [])
            os.write(leader, f"{given.pop(0) if given else ''}\n".encode())
            asked = end + 3
    assert started.wait(10) == 0, seen
    os.close(leader)
    assert "Nom de la présérie" not in seen
    assert "Ce n'est pas un n° FINESS : 9 caractères" in seen
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    assert document["pilot"] == {
        "name": "Essai", "profession": "10", "module": "exemple-on-1", "first_pilot": True,
    }  # fmt: skip
    assert document["company"] == {"name": "Télé", "finess": "330781287"}
    assert document["area"] == {"cpam": ["33", "69"]}
    first, second = document["practitioners"]
    assert (first["rpps"], second["rpps"]) == RPPS[:2]
    assert first["go_live"] == second["go_live"] == date(2030, 1, 7)
    assert second["salaried"] is True


def test_check_gives_line_path_and_page(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "pilot.toml"
    text = EXAMPLE.read_text(encoding="utf-8").replace("salaried = true", "salaried = false", 1)
    path.write_text(text.replace('cpam = ["33"]', 'cpam = ["75"]'), encoding="utf-8")
    code, said = run("pilot", "check", path)
    assert code == 1
    line = next(n for n, row in enumerate(text.splitlines(), 1) if row == "salaried = false")
    assert f"error     line {line}, practitioners[0].salaried: " in said
    assert "(présérie 2025-03, p. 4)" in said
    findings = json.loads(run("pilot", "check", path, "--json")[1])
    assert {each["path"]: each["level"] for each in findings}["area.cpam[0]"] == "warning"
    assert all(each["line"] for each in findings)


def test_what_is_undone_has_its_line_when_applied(
    run: Run, applied: tuple[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "pilot.toml"
    text = EXAMPLE.read_text(encoding="utf-8").replace(
        'finess = "330781287"', 'finess = "750712184"'
    )
    path.write_text(text, encoding="utf-8")
    code, said = run("pilot", "apply", path, "--by", "essai", *applied)
    assert code == 1
    assert re.search(r"line \d+, company\.finess: This identifies the pilot", said)


def test_an_extension_lifts_the_ceiling_only_after_a_correction(
    run: Run, applied: tuple[str, Path], tmp_path: Path
) -> None:
    """Extended to other practitioners, once corrected (p. 6)."""
    from stdnum import luhn

    one = EXAMPLE.read_text(encoding="utf-8").split("[[practitioners]]")[-1]
    more = []
    for number in range(6):
        stem = f"998{number:07d}"
        more.append(one.replace(RPPS[5], stem + luhn.calc_check_digit(stem)))
    text = "[[practitioners]]".join([EXAMPLE.read_text(encoding="utf-8"), *more])
    path = tmp_path / "pilot.toml"
    path.write_text(text, encoding="utf-8")
    code, said = run("pilot", "apply", path, "--by", "essai", *applied)
    assert code == 1
    assert "10 is the most without an extension" in said
    extended = '[extension]\non = 2025-05-12\nreference = "CNAM-1"\n\n[[practitioners]]'
    path.write_text(text.replace("[[practitioners]]", extended, 1), encoding="utf-8")
    code, said = run("pilot", "apply", path, "--by", "essai", *applied)
    assert code == 1
    assert "An extension follows corrections; none is recorded." in said
    assert run("pilot", "correction", "4.2.1", *NOTE, *applied)[0] == 0
    code, said = run("pilot", "apply", path, "--by", "essai", *applied)
    assert (code, "Applied." in said) == (0, True)


def test_every_step_says_what_may_come_next_as_a_command(run: Run, settings: Path) -> None:
    """Each legal step is named by a command that exists, from the first to the last."""
    options = ("--settings", settings)

    def named(said: str) -> dict[str, str]:
        legal = [line.split(maxsplit=2) for line in said.splitlines() if line.startswith("legal")]
        for _, _, command in legal:
            words = command.split()
            assert words[:2] == ["eprescription", "pilot"]
            assert run("pilot", words[2], "--help")[0] == 0
        return {step: command.split()[2] for _, step, command in legal}

    assert named(run("pilot", "status", *options)[1]) == {"apply": "apply"}
    assert run("pilot", "apply", EXAMPLE, "--by", "essai", *options)[0] == 0
    code, said = run("pilot", "start", "--day", "2025-03-17", *NOTE, *options)
    assert (code, "phase  running" in said) == (0, True)
    assert named(said)["assess"] == "assessed"
    assert run("pilot", "correction", "4.2.1", *NOTE, *options)[0] == 0
    assert "prolonged" in run("pilot", "prolong", "--correction", "4.2.1", *NOTE, *options)[1]
    assert "prolonged" in run(
        "pilot", "withdraw", RPPS[5], "--on", "2025-04-04", "--reason", "départ", *NOTE, *options
    )[1]  # fmt: skip
    code, said = run("pilot", "assessed", *NOTE, *options)
    assert named(said)["close_traces"] == "close-traces"
    code, said = run("pilot", "generalise", *NOTE, *options)
    assert (code, "Legal now: apply, prolong, close_traces" in said) == (1, True)
    receipt = settings.with_name("receipt.json")
    # With another receipt pinned, this store is a backup from before it.
    content = settings.read_text(encoding="utf-8")
    settings.write_text(f'closing_receipt = "pinned-before"\n{content}', encoding="utf-8")
    code, said = run("pilot", "close-traces", "--receipt", receipt, *NOTE, *options)
    assert (code, "pinned-before" in said, "--kept" in said) == (1, True, True)
    settings.write_text(content, encoding="utf-8")
    assert run("pilot", "close-traces", "--receipt", receipt, *NOTE, *options)[0] == 0
    assert "none: the pilot is over" in run("pilot", "generalise", *NOTE, *options)[1]


def test_who_leaves_with_something_unsettled_is_said(
    run: Run, applied: tuple[str, Path], tmp_path: Path
) -> None:
    store = SqliteStore(tmp_path / "store.db")
    store.write(lambda tx: journal(tx, entry(rpps=Rpps(RPPS[5]))))
    store.close()
    for rpps, told in ((RPPS[4], False), (RPPS[5], True)):
        code, said = run(
            "pilot", "withdraw", rpps, "--on", "2025-04-04", "--reason", "départ", *NOTE, *applied
        )
        assert (code, "not settled: 1." in said) == (0, told)


def test_a_pipe_is_as_wide_as_it_is_told(
    run: Run, applied: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def width() -> int:
        return max(map(len, run("assess", *applied)[1].splitlines()))

    monkeypatch.delenv("COLUMNS", raising=False)
    assert width() == 100
    monkeypatch.setenv("COLUMNS", "72")
    assert width() == 72


def test_a_pilot_without_anybody_says_where_to_go_on(run: Run, settings: Path) -> None:
    said = " ".join(run("assess", "--settings", settings)[1].split())
    assert "Aucun praticien n'est installé" in said
    assert "pilot status" in said


def test_missing_settings_are_named_with_two_ways_to_give_them(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text('environment = "production"\n', encoding="utf-8")
    code, said = run("pilot", "status", "--settings", path)
    assert (code, "store, key" in said) == (1, True)
    assert "--settings FILE" in said
    assert "EPRESCRIPTION_SERVICE_URL" in said


def test_the_registers_and_what_they_change(
    run: Run, applied: tuple[str, Path], tmp_path: Path
) -> None:
    def done(*arguments: str | Path) -> str:
        code, said = run(*arguments, *applied)
        assert code == 0, said
        return said

    done("pilot", "correction", "4.2.1", *NOTE)
    done("pilot", "prolong", "--correction", "4.2.1", *NOTE)
    done("pilot", "ruling", "Q4", "lenient", *NOTE)
    done("pilot", "ruling", "Q3", "document", *NOTE)
    done("pilot", "ruling", "Q5", "pilot", *NOTE)
    code, said = run("pilot", "ruling", "Q4", "document", *NOTE, *applied)
    assert (code, "strict, lenient" in said) == (1, True)
    done("pilot", "anomaly", "open", "AN-1", "Lent", "--operation", "search", "--blocking", *NOTE)
    assessed = json.loads(done("assess", "--json"))
    assert assessed["strict"]["criteria"]["C3"]["anomalies"] == ["AN-1"]
    assert assessed["rulings"]["Q4"]["reference"] == "REF-1"
    assert assessed["rulings"]["Q3"]["reading"] == "document"
    assert "AN-1" in done("pilot", "anomaly", "list")
    done("pilot", "anomaly", "close", "AN-1", *NOTE)
    assert json.loads(done("pilot", "anomaly", "list", "--json"))[0]["closed_on"]
    form = tmp_path / "c4.csv"
    assert run("pilot", "prerequisites", "form", form)[0] == 0
    filled = form.read_text(encoding="utf-8").replace(";\n", ";aucun\n").replace(";\r", ";aucun\r")
    form.write_text(filled, encoding="utf-8", newline="")
    done("pilot", "prerequisites", "record", form, "--document", "Note v2", *NOTE)
    answers = tmp_path / "c5.csv"
    assert "n'est pas officiel" in done("pilot", "questionnaire", "form", answers)
    text = re.sub(r"(PS \d);;", r"\1;4;", answers.read_text(encoding="utf-8"))
    answers.write_text(text.replace("PS 2;4;;;;;;", "PS 2;4;;;;;;trop lent"), encoding="utf-8")
    assert "6 answers" in done("pilot", "questionnaire", "record", answers, *NOTE)
    official = tmp_path / "o.csv"
    official.write_text("critere;praticien;chiffre\nC2;;70 %\n", encoding="utf-8")
    done("pilot", "official", official, *NOTE)
    assessed = json.loads(done("assess", "--json"))
    criteria = assessed["strict"]["criteria"]
    assert criteria["C3"]["anomalies"] == []
    assert criteria["C4"]["verdict"] == "attested"
    assert criteria["C5"]["survey"]["blocking_remarks"] == ["trop lent"]
    assert assessed["official"][0]["official"]["figure"] == "70 %"
    said = done("assess")
    assert "Q4 tranchée par la Cnam : lecture favorable (REF-1" in said
    assert "Officiel, C2 : 70 %" in said
    letter = done("pilot", "questions")
    assert "Q1. " in letter
    assert "Q4. " not in letter
    journal = done("pilot", "journal")
    for kind in ("correction", "prolong", "ruling", "anomaly", "questionnaire", "official"):
        assert kind in journal


def test_a_named_edition_is_asked_for_and_logged(
    run: Run, applied: tuple[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "n.html"
    code, said = run("assess", "--html", path, "--named", *applied)
    assert code == 1
    assert "by: This text is empty." in said
    assert not path.exists()
    assert run("assess", "--html", path, *applied)[0] == 0
    assert RPPS[0] not in path.read_text(encoding="utf-8")
    assert run("assess", "--html", path, "--named", *NOTE, *applied)[0] == 0
    assert RPPS[0] in path.read_text(encoding="utf-8")
    assert "named_edition" in run("pilot", "journal", *applied)[1]


def test_watching_looks_again_and_again(run: Run, applied: tuple[str, Path]) -> None:
    code, said = run("assess", "--watch", "--every", "0.05", "--rounds", "3", *applied)
    assert code == 0
    assert said.count("Autoévaluation de la présérie") == 3
    assert "goes with no other output" in run("assess", "--watch", "--json", *applied)[1]


def test_watching_a_terminal_shows_one_assessment_at_a_time(applied: tuple[str, Path]) -> None:
    """Whatever its height: the screen is cleared before each look, and the last one stays."""
    program = "from eprescription_sdk.cli import main; main()"
    leader, follower = pty.openpty()
    started = subprocess.Popen(
        [sys.executable, "-c", program, "assess", "--watch", "--rounds", "2", "--every", "0.1",
         *map(str, applied)],
        stdin=follower, stdout=follower, stderr=follower, env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(follower)
    seen = b""
    while True:
        try:
            seen += os.read(leader, 65536)
        except OSError:  # the other end is gone
            break
    assert started.wait(10) == 0, seen
    os.close(leader)
    before, *looks = seen.decode().split("\x1b[2J")
    assert "Autoévaluation" not in before
    assert [look.count("Autoévaluation") for look in looks] == [1, 1]


def test_a_card_is_for_one_practitioner_alone(
    run: Run, applied: tuple[str, Path], tmp_path: Path
) -> None:
    code, said = run("pilot", "card", "--prescriber", RPPS[0], *applied)
    assert code == 0
    assert "pour vous seul" in said
    assert RPPS[0] not in said
    path = tmp_path / "fiche.txt"
    assert run("pilot", "card", "--prescriber", RPPS[0], "--output", path, *applied)[0] == 0
    assert path.stat().st_mode & 0o077 == 0


def test_a_rehearsal_says_who_would_pass(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text(
        f"praticien;famille;nombre\n{RPPS[0]};médicaments;90\n[/B];imagerie;30\n[/B];biologie;10\n",
        encoding="utf-8",
    )
    code, said = run("pilot", "rehearse", path)
    assert code == 1
    assert "1 sur 2 passeraient" in said
    assert "[/B]" in said
    assert RPPS[0] not in said
    figures = json.loads(run("pilot", "rehearse", path, "--share", "0.4", "--json")[1])
    assert [each["passes"] for each in figures] == [False, False]
    assert "A share goes from 0 to 1." in run("pilot", "rehearse", path, "--share", "2")[1]
