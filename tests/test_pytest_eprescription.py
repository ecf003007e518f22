"""The plugin, in runs of pytest of its own: as a project has it that installed the library."""

import sys

import pytest

pytest_plugins = ["pytester"]

# What our own tests use besides is slow to load; this plugin comes by its entry point.
ARGUMENTS = ("-W", "error", *(f"-pno:{name}" for name in ("cacheprovider", "hypothesispytest")))


def run(pytester: pytest.Pytester, test: str) -> pytest.RunResult:
    pytester.makepyfile(test)
    return pytester.runpytest_subprocess(*ARGUMENTS, timeout=60)


def test_a_project_tests_its_integration_with_the_fixtures(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        from datetime import timedelta

        import pytest

        import eprescription_sdk as ep
        from eprescription_sdk.testing import (
            assert_no_patient_data, assert_registered_once, sample_prescription,
        )

        def test_registered(eprescription_doctor, eprescription_sandbox):
            outcome = eprescription_doctor.create(sample_prescription())
            assert_registered_once(eprescription_sandbox, outcome)

        def test_each_test_has_a_sandbox_of_its_own(eprescription_sandbox):
            assert eprescription_sandbox.registrations == []

        def test_a_lost_answer(
            eprescription_doctor, eprescription_client, eprescription_sandbox,
            eprescription_faults, eprescription_clock,
        ):
            eprescription_faults("commit-then-drop", "consult-refused")
            prescription = sample_prescription(reference="1")
            assert isinstance(eprescription_doctor.create(prescription), ep.Uncertain)
            eprescription_clock.advance(timedelta(minutes=5))
            eprescription_client.reconcile(credentials=[eprescription_doctor.practitioner])
            assert_registered_once(
                eprescription_sandbox, eprescription_doctor.create(prescription)
            )

        def test_no_such_fault(eprescription_faults):
            with pytest.raises(ValueError, match="commit-then-drop"):
                eprescription_faults("comit-then-drop")

        def test_logs(eprescription_doctor, eprescription_canary, caplog):
            caplog.set_level("DEBUG")
            eprescription_doctor.create(eprescription_canary.prescription())
            assert_no_patient_data(eprescription_canary, {"log": caplog.records})
        """,
    )
    result.assert_outcomes(passed=5)


def test_a_project_that_asks_for_nothing_pays_nothing(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import sys

        def test_nothing_is_loaded(pytestconfig):
            assert pytestconfig.pluginmanager.has_plugin("eprescription")
            loaded = {name.partition(".")[0] for name in sys.modules}
            assert "pytest_eprescription" in loaded
            assert not loaded & {"eprescription_sdk", "httpx", "starlette", "lxml"}
        """,
    )
    result.assert_outcomes(passed=1)


def test_without_the_extra_only_the_sandbox_is_missed_and_says_so(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeconftest("import sys; sys.modules['starlette'] = None")
    result = run(
        pytester,
        """
        import eprescription_sdk.testing

        def test_one(eprescription_clock, eprescription_canary):
            assert eprescription_canary.prescription().problems() == ()

        def test_two(eprescription_doctor):
            pass
        """,
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*MissingExtra: *eprescription-sdk?sandbox?*"])


def test_importing_the_testing_room_loads_no_pytest(pytester: pytest.Pytester) -> None:
    result = pytester.run(
        sys.executable,
        "-c",
        "import sys, eprescription_sdk.testing;"
        "print([name for name in ('pytest', '_pytest', 'starlette') if name in sys.modules])",
    )
    assert result.outlines == ["[]"]
