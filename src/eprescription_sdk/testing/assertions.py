"""What a platform's own tests may hold the integration to."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from eprescription_sdk.model.outcomes import Outcome, Registered
from eprescription_sdk.testing.canary import Canary
from eprescription_sdk.testing.sinks import Sink, text_of

if TYPE_CHECKING:
    from eprescription_sdk.sandbox import Sandbox


def assert_registered_once(sandbox: "Sandbox", outcome: Outcome) -> None:
    """Law 1: the outcome is ``Registered`` and the sandbox holds exactly one such prescription.

    Args:
        sandbox: what the client talked to.
        outcome: what ``create()`` returned.

    Raises:
        AssertionError: it is not so; the message names no number.
    """
    if not isinstance(outcome, Registered):
        raise AssertionError(  # noqa: TRY004  (it is what a test holds to, not a wrong argument)
            f"the outcome is {type(outcome).__name__}, not Registered"
        )
    held = sandbox.count(outcome.number.value)
    if held != 1:
        raise AssertionError(f"the sandbox holds the prescription {held} times")


def assert_no_patient_data(canary: Canary, sinks: Mapping[str, Sink]) -> None:
    """Law 4: no value of the canary stands in any sink.

    Args:
        canary: what was planted.
        sinks: by a name that tells you which. Leave out one that is rightly empty: where
            nothing is, nothing was searched.

    Raises:
        AssertionError: it is not so, or a sink is empty; the message repeats no value.
        FileNotFoundError: a path that does not exist.
    """
    texts = {name: text_of(sink) for name, sink in sinks.items()}
    empty = [name for name, text in texts.items() if not text.strip()]
    if empty or not texts:
        raise AssertionError(f"nothing was searched in: {', '.join(empty) or 'no sink'}")
    leaks = canary.search(texts)
    if leaks:
        raise AssertionError(
            "patient data leaked: "
            + "; ".join(f"the {leak.what} is in {leak.sink} ({leak.form})" for leak in leaks)
        )
