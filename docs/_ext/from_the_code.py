"""The directive ``from-the-code``: tables that nobody copies by hand.

Each table below is a function without arguments that gives Markdown; a page asks for one by name.
What it says is read from the code at each build, so the two cannot part.
"""

import ast
import inspect
import re
import typing
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import eprescription_sdk as ep
from eprescription_sdk import errors
from eprescription_sdk.client import advice
from eprescription_sdk.model.trace import CallTrace, PrescriptionTrace, TraceBase
from eprescription_sdk.pilot.questions import Question, Reading
from eprescription_sdk.testing import FAULTS

if TYPE_CHECKING:
    from sphinx.application import Sphinx

SOURCE = Path(ep.__file__).parent


class FromTheCode(SphinxDirective):
    """``{from-the-code} NAME`` puts one of the tables where it stands."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The nodes of the table."""
        # A page is read again when any file of the package has changed.
        for file in SOURCE.rglob("*.py"):
            self.env.note_dependency(str(file))
        text = TABLES[self.arguments[0]]()
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def setup(app: "Sphinx") -> dict[str, Any]:
    """Called by Sphinx before it reads anything."""
    app.add_directive("from-the-code", FromTheCode)
    return {"version": ep.__version__, "parallel_read_safe": True}


# --- Settings and fields --------------------------------------------------------------------------


def settings() -> str:
    """What ``Settings`` takes, with the environment's name for each."""
    return _table(
        ("setting", "variable", "default", "what it is"),
        (
            (
                f"`{field.name}`",
                "—" if field.name == "profile" else f"`EPRESCRIPTION_{field.name.upper()}`",
                _default(field),
                _described(ep.Settings)[field.name],
            )
            for field in attrs.fields(ep.Settings)
        ),
    )


def service_profile() -> str:
    """What ``ServiceProfile`` takes."""
    return _fields(ep.ServiceProfile)


def fault_rule() -> str:
    """What one rule of the fault table takes."""
    return _fields(ep.FaultRule)


def trace_base() -> str:
    """What both kinds of trace carry."""
    return _trace(TraceBase)


def call_trace() -> str:
    """What only the trace of a call carries."""
    return _trace(CallTrace)


def prescription_trace() -> str:
    """What only the trace of a prescription carries."""
    return _trace(PrescriptionTrace)


def _trace(kind: type) -> str:
    inherited = set() if kind is TraceBase else {each.name for each in attrs.fields(TraceBase)}
    return _table(
        ("field", "values", "what it is"),
        (
            (f"`{field.name}`", _values(field.type), _described(kind)[field.name])
            for field in attrs.fields(kind)
            if field.name not in inherited
        ),
    )


def _fields(kind: type) -> str:
    return _table(
        ("setting", "default", "what it is"),
        (
            (f"`{field.name}`", _default(field), _described(kind)[field.name])
            for field in attrs.fields(kind)
        ),
    )


def _default(field: "attrs.Attribute[Any]") -> str:
    match field.default:
        case attrs.NOTHING:
            return "*required*"
        case None:
            return "—"
        case attrs.Factory():  # type: ignore[misc]
            return "see below"
        case value:
            return f"`{value}`"


def _values(kind: Any) -> str:
    """What a field may hold, in a word; the values of an enumeration by name."""
    parts = [part for part in typing.get_args(kind) if part is not type(None)] or [kind]
    (inner,) = parts if len(parts) == 1 else (kind,)
    if typing.get_origin(kind) is frozenset:
        (inner,) = typing.get_args(kind)
    if inspect.isclass(inner) and issubclass(inner, Enum):
        shown = ", ".join(f"`{member.value}`" for member in inner)
    else:
        shown = getattr(inner, "__name__", str(inner))
    optional = type(None) in typing.get_args(kind)
    return f"{shown}; may be absent" if optional else shown


def _described(kind: type) -> dict[str, str]:
    """What the ``Args`` of a docstring say, by name."""
    told = inspect.getdoc(kind) or ""
    arguments = re.search(r"^Args:\n(.*?)(?=^\S|\Z)", told, re.DOTALL | re.MULTILINE)
    if arguments is None:
        raise ValueError(f"{kind.__name__} says nothing of its arguments.")
    entries = re.findall(r"^    (\w+): (.*?)(?=^    \w|\Z)", arguments[1], re.DOTALL | re.MULTILINE)
    return {name: _sentence(text) for name, text in entries}


# --- Errors ---------------------------------------------------------------------------------------


def error_codes() -> str:
    """Each code: its error, what it means, its cure, and the sentences that are said under it."""
    raised = _raised()
    parts = []
    for kind in _errors():
        parts.append(f"**`{kind.code}`** — {{py:exc}}`~{_public(kind)}`\n")
        meaning = (inspect.getdoc(kind) or "").partition("\n\n")[0]
        parts.append(f": {_sentence(meaning)}\n")
        parts.append(f"  *What to do:* {kind.cure}\n")
        if kind.text_fr:
            parts.append(f"  *On the prescriber's screen:* {kind.text_fr}\n")
        if sayings := raised[kind.__name__]:
            parts.append(_indented(_table(("it says", "and to do"), sorted(sayings)), "  ") + "\n")
    return "\n".join(parts)


def _errors() -> Iterator[type[errors.EPrescriptionError]]:
    """The tree, each class before those below it."""

    def below(kind: type[errors.EPrescriptionError]) -> Iterator[type[errors.EPrescriptionError]]:
        yield kind
        for each in kind.__subclasses__():
            if each.__module__ in ("eprescription_sdk", "eprescription_sdk.errors"):
                yield from below(each)

    return below(errors.EPrescriptionError)


def _public(kind: type) -> str:
    return f"eprescription_sdk.{kind.__name__}"


def _raised() -> dict[str, set[tuple[str, str]]]:
    """By the name of an error: the sentences it is raised with, and the ways out."""
    names = {kind.__name__ for kind in _errors()}
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for file in sorted(SOURCE.rglob("*.py")):
        # The sandbox stands for a service, the demo for a user: their errors are not the SDK's.
        if file.relative_to(SOURCE).parts[0] == "sandbox":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Name(id=name) | ast.Attribute(attr=name), args=[said, *_]
                ) if name in names and (sentence := _text(said)):
                    cure = next((each for each in node.keywords if each.arg == "way_out"), None)
                    found[name].add((sentence, (_text(cure.value) if cure else None) or "as above"))
    return found


def _text(node: ast.expr) -> str | None:
    """A literal sentence, with … for what is only known when it is raised."""
    match node:
        case ast.Constant(value=str(value)):
            return value
        case ast.JoinedStr(values=values):
            parts = [_text(value) if isinstance(value, ast.Constant) else "…" for value in values]
            return "".join(part or "" for part in parts)
        case _:
            return None


# --- What people read -----------------------------------------------------------------------------


def advice_texts() -> str:
    """The French sentence of each outcome; … stands for that of the service's code."""
    told = ep.FaultRule(kind=ep.FaultClass.REFUSED, text_fr="…")
    card = attrs.evolve(told, credential=True)
    not_registered = advice.not_registered
    rows = [
        ("`Registered`", advice.REGISTERED),
        ("`NotRegistered`, `REFUSED`", not_registered(ep.Cause.REFUSED, rule=told)),
        ("the same, for the practitioner's card", not_registered(ep.Cause.REFUSED, rule=card)),
        ("`NotRegistered`, `NOT_SENT`", not_registered(ep.Cause.NOT_SENT)),
        (
            "the same, without card or session",
            not_registered(ep.Cause.NOT_SENT, no_credential=True),
        ),
        ("`NotRegistered`, `ABSENT`", not_registered(ep.Cause.ABSENT)),
        ("`NotRegistered`, `NOT_IN_PILOT`", not_registered(ep.Cause.NOT_IN_PILOT)),
    ]
    rows += [
        (f"`Uncertain`, policy `{policy.value}`", advice.uncertain(policy))
        for policy in ep.UncertainPolicy
    ]
    return _table(
        ("outcome", "`advice.step`", "`advice.text_fr`"),
        ((what, f"`{each.step.name}`", each.text_fr) for what, each in rows),
    )


def reasons() -> str:
    """Why a prescription is on paper."""
    return _table(
        ("in code", "what people read"),
        ((f"`{each.name}`", each.label_fr) for each in ep.NonDigitalReason),
    )


def faults() -> str:
    """The faults that a test may play, by name."""
    return _table(("name", "what happens"), ((f"`{name}`", what) for name, what in FAULTS.items()))


def questions() -> str:
    """The ten questions, both readings of each, in two languages."""
    return "\n".join(
        f"**{each.name}** {each.text_en} *{each.text_fr}*\n\n"
        f": strict: {each.answer_en(Reading.STRICT)} (*{each.answer_fr(Reading.STRICT)}*)\n\n"
        f": lenient: {each.answer_en(Reading.LENIENT)} (*{each.answer_fr(Reading.LENIENT)}*)\n"
        for each in Question
    )


# --- Commands -------------------------------------------------------------------------------------


def commands() -> str:
    """Each command with its options, as cyclopts describes them."""
    from eprescription_sdk.cli.app import app

    # Without a name of its own, it would be called after this process.
    text = app.generate_docs(output_format="markdown", usage_name="eprescription")
    # The page has its own title, and its side bar the list of commands.
    text = text[text.index("\n## eprescription ") :]
    text = re.sub(r"\*\*Commands\*\*:\n\n(\* .*\n)+", "", text)
    return re.sub(":$", "", text, flags=re.MULTILINE)


# --- Markdown -------------------------------------------------------------------------------------


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [tuple(heads), *map(tuple, rows)]
    shown = ["| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines]
    return "\n".join([shown[0], "|" + " --- |" * len(lines[0]), *shown[1:]])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _sentence(text: str) -> str:
    """A docstring's sentence in Markdown, on one line."""
    line = " ".join(text.split()).replace("``", "`")
    return line[:1].upper() + line[1:]


def _indented(text: str, prefix: str) -> str:
    return "\n".join(prefix + line for line in text.splitlines())


TABLES: dict[str, Callable[[], str]] = {
    each.__name__.replace("_", "-"): each
    for each in (
        settings, service_profile, fault_rule, trace_base, call_trace, prescription_trace,
        error_codes, advice_texts, commands, faults, reasons, questions,
    )
}  # fmt: skip
