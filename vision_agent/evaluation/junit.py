"""Results as JUnit XML, which CI systems show. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from xml.etree import ElementTree as ET

from vision_agent.evaluation.outcome import CaseOutcome
from vision_agent.evaluation.results import CaseRate, SuiteResults

# Characters that XML 1.0 can't express.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MAX_CHARS = 20_000


def junit(results: SuiteResults) -> bytes:
    """Return the XML, in UTF-8: a testsuite for each suite, agent and model.

    A failed repeat of a case that passed often enough is reported as skipped, with the reason: it
    must not fail the build.
    """
    root = ET.Element("testsuites", name="vision-agent eval")
    for key, group in groupby(results.rates(), lambda one: (one.suite, one.agent, one.model)):
        name = " ".join(filter(None, key))
        element = ET.SubElement(root, "testsuite", name=_xml(name))
        cases = [_testcase(outcome, rate, name) for rate in group for outcome in rate.outcomes]
        element.extend(cases)
        element.set("timestamp", results.started.replace(tzinfo=None).isoformat("T", "seconds"))
        _count(element, cases)
    _count(root, list(root.iter("testcase")))
    root.attrib.pop("skipped")
    xml: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return xml


def _count(element: ET.Element, cases: Sequence[ET.Element]) -> None:
    element.set("tests", str(len(cases)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(name, str(sum(case.find(tag) is not None for case in cases)))
    element.set("time", f"{sum(float(case.get('time', 0)) for case in cases):.3f}")


def _testcase(outcome: CaseOutcome, rate: CaseRate, classname: str) -> ET.Element:
    several = len(rate.outcomes) > 1
    name = f"{outcome.case} [{outcome.repeat}]" if several else outcome.case
    case = ET.Element(
        "testcase", name=_xml(name), classname=_xml(classname), time=f"{outcome.took_s:.3f}"
    )
    lines = [
        f"{'✓' if one.passed else '✗' if one.passed is False else '?'} {one.expectation}\n"
        f"    {one.came}"
        for one in outcome.verdicts
    ]
    if outcome.status != "passed":
        wrong = next((one for one in outcome.verdicts if not one.passed), None)
        words = outcome.error or (f"{wrong.expectation}: {wrong.came}" if wrong else "")
        if rate.status == "passed":
            enough = f"{rate.passed} of {len(rate.outcomes)} passed, {rate.passes:g} is enough"
            ET.SubElement(case, "skipped", message=_xml(f"{enough}. {words}"))
        else:
            tag = "failure" if outcome.status == "failed" else "error"
            child = ET.SubElement(case, tag, message=_xml(words), type=outcome.status)
            child.text = _xml("\n".join(lines))
    said = [] if outcome.report is None else outcome.report.transcript
    lines += [f"{line.at_ms / 1000:6.1f} s  {line.who}: {line.text}" for line in said]
    ET.SubElement(case, "system-out").text = _xml("\n".join(lines))
    return case


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text[:_MAX_CHARS])
