"""Every error says what happened, where and what to do; in French where a prescriber reads it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import eprescription_sdk as ep
from eprescription_sdk import errors
from eprescription_sdk.client import advice
from eprescription_sdk.errors import EPrescriptionError
from eprescription_sdk.model.outcomes import Cause
from eprescription_sdk.settings import REFERENCE_FAULTS, UncertainPolicy

SOURCES = sorted(Path(ep.__file__).parent.rglob("*.py"))
KINDS = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, EPrescriptionError)
}

SAFE = {
    # Names and numbers of this SDK's own.
    "max_bytes", "schema.VERSION",
    "version", "choices", "setting", "field.name", "step.value", "where", "names", "line",
    "len(rows[0])", "least or 'just above 0'", "most", "longer", "shorter", "why",
    "missing[0].upper()", "extra", "way_out", "what", "problem", "named", "holders",
    # What a person typed as the name of a module, and a place in a schema of theirs.
    "name", "_place(schema, what)",
    # What a library or the system says: a name of a class, a rule or a cause, never a value.
    "type(error).__name__", "error.strerror", "error.reason", "error.rule", "error.name",
    "reason(error, wire)",
    # Where a parser stopped: line and column.
    "error",
    # Sentences that were judged where they were made.
    "error.message", "message", "meaning", "verdict.detail",
    # Tokens of the service, cut to letters and digits before.
    "fault.code or fault.subcode or 'unknown'",
    # A class of whatever a port raised.
    "kind",
    # Who holds a store: host and process, or the name of a session.
    "', '.join(error.holders) or 'unknown'", "', '.join(holders)", "': ' if holders else ''",
    "', '.join(holders) or 'unknown'",
}  # fmt: skip
"""What a message may hold beside its own words. A value of the input is not among them: it could
be a patient's."""

CONSTANT = re.compile(r"_?[A-Z_]+|', '\.join\(_?[A-Z_]+\)")


def raised() -> Iterator[tuple[str, ast.Call]]:
    """Every place where an error of ours is made, and its call."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in KINDS
                and node.func.id != "MissingExtra"  # it makes its sentence of one word
            ):
                yield f"{path.name}:{node.lineno}", node


def _said(call: ast.Call) -> list[ast.expr]:
    """The message and the way out, as written."""
    return [*call.args[:1], *(each.value for each in call.keywords if each.arg == "way_out")]


def _foreign(node: ast.expr) -> Iterator[str]:
    """What a message takes from elsewhere."""
    if isinstance(node, ast.BinOp):
        yield from _foreign(node.left)
        yield from _foreign(node.right)
    elif isinstance(node, ast.JoinedStr):
        yield from (
            ast.unparse(part.value) for part in node.values if isinstance(part, ast.FormattedValue)
        )
    elif not isinstance(node, ast.Constant):
        yield ast.unparse(node)


def test_no_message_quotes_what_it_was_given() -> None:
    places = list(raised())
    assert len(places) > 150
    quoted = {
        f"{where}: {part}"
        for where, call in places
        for node in _said(call)
        for part in _foreign(node)
        if part not in SAFE and not CONSTANT.fullmatch(part)
    }
    assert quoted == set()


def test_every_message_is_a_sentence() -> None:
    wrong = []
    for where, call in raised():
        for node in _said(call):
            if isinstance(node, ast.Constant):
                text = str(node.value)
            elif isinstance(node, ast.JoinedStr):
                text = "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "x"
                    for part in node.values
                )
            else:
                continue
            # A message that begins with what another one says is a whole one; a way out may end
            # in a command or an example; a transport names its failure in one word.
            begins = text[0].isupper() or text.startswith(("x", "eprescription "))
            ends = text[-1] in ".:)'\"x" or re.search(r"(: |eprescription |pip )", text)
            if not (begins and ends) and not re.fullmatch(r"[A-Z][A-Za-z]+", text):
                wrong.append(f"{where}: {text}")
    assert wrong == []


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_says_what_to_do(kind: type[EPrescriptionError]) -> None:
    assert kind.cure[0].isupper()
    if kind is not EPrescriptionError:
        assert kind.cure != EPrescriptionError.cure
    assert (kind.__doc__ or "").strip()


def test_an_error_without_a_way_out_of_its_own_has_that_of_its_kind() -> None:
    error = ep.StoreCorrupt("The file is damaged.", path="store.db")
    assert str(error) == (
        "[EP-STORE-CORRUPT] The file is damaged. (at store.db)"
        " Stop the writers, keep the file, and restore the last backup."
    )


MET_BY_A_PRESCRIBER = (
    ep.CredentialUnavailable, ep.StoreError, ep.StoreUnavailable, ep.StoreUnsafe,
    ep.StoreCorrupt, ep.StoreTooNew, ep.ServiceError, ep.ServiceUnreachable, ep.UnreadableReply,
    ep.PrescriptionNotFound,
)  # fmt: skip
ENGLISH = re.compile(r"\b(the|is|of|not|and|your|was|please|error)\b", re.IGNORECASE)


def _french(text: str | None) -> bool:
    return bool(text) and text is not None and text[-1] in ".!" and not ENGLISH.search(text)


@pytest.mark.parametrize("kind", MET_BY_A_PRESCRIBER)
def test_what_a_prescriber_may_meet_has_a_french_sentence(kind: type[EPrescriptionError]) -> None:
    assert _french(kind("It broke.").text_fr)


def test_every_answer_has_its_french_advice() -> None:
    said = [advice.REGISTERED]
    said += [advice.uncertain(policy) for policy in UncertainPolicy]
    said += [advice.not_registered(cause) for cause in Cause if cause is not Cause.INVALID]
    said += [advice.not_registered(Cause.REFUSED, rule=rule) for rule in REFERENCE_FAULTS.values()]
    said.append(advice.not_registered(Cause.NOT_SENT, no_credential=True))
    assert all(_french(each.text_fr) for each in said)
    fault = ep.ServiceFault("It said no.", fault_code="x_1", text_fr="Non.")
    assert fault.text_fr == "Non."
