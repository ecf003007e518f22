import pytest
from hypothesis import given
from hypothesis import strategies as st

from eprescription_sdk.model.sealed import seal, unseal


@given(st.text() | st.just("\ud800"))
def test_a_sealed_text_comes_back(text: str) -> None:
    assert unseal(seal(text)) == text


@given(text=st.text(min_size=1), data=st.data())
def test_any_change_breaks_the_seal(text: str, data: st.DataObject) -> None:
    sealed = seal(text)
    at = data.draw(st.integers(0, len(sealed) - 1))
    changed = sealed[:at] + data.draw(st.text(max_size=3)) + sealed[at + 1 :]
    if changed != sealed:
        with pytest.raises(ValueError, match="does not fit"):
            unseal(changed)


@pytest.mark.parametrize("text", ["", " ", "{}", "0000000000000000 {}"])
def test_what_was_never_sealed_does_not_open(text: str) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        unseal(text)
