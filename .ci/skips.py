"""A pytest plugin for `.ci/run`: tests that skip are written down, or are named below.

PYTHONPATH=.ci PYTEST_PLUGINS=skips switches it on. With TFPE_SKIPS=FILE the tests that
skip are written to that file, so that they can be run where more is installed. Without
it each skip should be one of `EXPECTED`, or else pytest fails.
"""

import fnmatch
import os
import re

import pytest

# Test -> what its reason says. All others run wherever `.ci/run` can have what they
# need: the extras, torch, onnx, openvino, keras-hub, Chromium, and CIFAR beside the
# checkout.
EXPECTED = {
    # tf2onnx 1.17, the newest, calls what NumPy 2 took away; all of its exports fail.
    "tests/test_roles.py::test_export_leaves_the_key_out?onnx?": "tf2onnx uses",
}
# What a machine may lack, by environment variable; `.ci/run` sets these.
LACKING = {
    "TFPE_NO_CIFAR": "TFPE_TEST_DATA",
    "TFPE_NO_CHROMIUM": "needs Chromium",
}
# Packages and extras that `.ci/run` could not install; a reason says the module.
NOT_INSTALLED = os.environ.get("TFPE_NOT_INSTALLED", "").replace("-", "_").split()


def skips(reporter):
    """(node id, reason) of each skip."""
    for report in reporter.stats.get("skipped", ()):
        reason = report.longrepr
        reason = reason[2] if isinstance(reason, tuple) else str(reason)
        yield report.nodeid, reason.removeprefix("Skipped: ")


def expected(test, reason):
    """Whether a skip is in one of the lists."""
    return (
        any(
            fnmatch.fnmatchcase(test, pattern) and words in reason
            for pattern, words in EXPECTED.items()
        )
        or any(
            os.environ.get(variable) and words in reason
            for variable, words in LACKING.items()
        )
        or not {*NOT_INSTALLED}.isdisjoint(re.findall(r"\w+", reason))
    )


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    config = session.config
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if hasattr(config, "workerinput") or reporter is None:
        return
    found = sorted(set(skips(reporter)))
    if path := os.environ.get("TFPE_SKIPS"):
        with open(path, "w") as file:
            file.writelines(f"{test}\n" for test, _ in found)
        return
    unexpected = [skip for skip in found if not expected(*skip)]
    reporter.ensure_newline()
    for test, reason in unexpected:
        reporter.write_line(f"SKIPPED UNEXPECTEDLY {test}: {reason}", red=True)
    if unexpected and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
