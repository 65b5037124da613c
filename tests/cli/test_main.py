"""What is printed where the terminal, the reader or the disk doesn't take it."""

import io
import json
import sys

import pytest

from vision_agent.cli.main import main
from vision_agent.cli.options import out


def test_what_the_encoding_lacks_is_printed_by_its_number(monkeypatch) -> None:
    printed = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(printed, "latin-1"))
    monkeypatch.setattr(sys, "argv", ["vision-agent", "--version"])
    with pytest.raises(SystemExit):
        main()
    out.say("→ né")
    assert printed.getvalue().splitlines()[-1] == "\\u2192 né".encode("latin-1")


needs_a_full_disk = pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's.")


@needs_a_full_disk
def test_a_full_disk_is_one_sentence(monkeypatch) -> None:
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        monkeypatch.setattr(sys, "argv", ["vision-agent", "--version"])
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == "The output can't be written: No space left on device."


@needs_a_full_disk
def test_results_are_written_although_they_can_not_be_printed(
    tmp_path, monkeypatch, caplog
) -> None:
    results, suite = tmp_path / "r.json", tmp_path / "suite.yaml"
    suite.write_text("agents: ['http://127.0.0.1:9']\ncases: [{name: a, show: suite.yaml}]\n")
    monkeypatch.setattr(out, "quiet", False)
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        arguments = ["vision-agent", "eval", str(suite), "--json", str(results)]
        monkeypatch.setattr(sys, "argv", arguments)
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == 3  # as printed: no case could be tried
    assert json.loads(results.read_text())["errors"] == 1
    assert caplog.messages == [
        "The output can't be written: No space left on device. The command goes on without it."
    ]
