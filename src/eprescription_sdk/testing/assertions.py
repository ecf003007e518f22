"""What a platform's own tests may hold the integration to."""

from typing import TYPE_CHECKING

from eprescription_sdk.model.outcomes import Outcome, Registered

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
