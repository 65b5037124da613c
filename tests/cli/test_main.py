"""What is printed where the terminal, the reader or the disk doesn't take it."""

import io
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


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's.")
def test_a_full_disk_is_one_sentence(monkeypatch) -> None:
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        monkeypatch.setattr(sys, "argv", ["vision-agent", "--version"])
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == "The output can't be written: No space left on device."
