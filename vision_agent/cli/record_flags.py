"""The flags about recording calls, which several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vision_agent.cli.options import refuse


def _folder(text: str) -> Path:
    if not text.strip():  # such as a variable that is not set, which would be the working folder
        refuse("--record is empty: name a folder, or leave it out.")
    return Path(text)


Record = Annotated[
    Path | None,
    typer.Option(
        parser=_folder, metavar="DIR", help="Record calls, each in a folder of its own in DIR."
    ),
]
RecordConsent = Annotated[
    bool | None,
    typer.Option(
        "--record-consent/--no-record-consent",
        help="Record only calls whose client says that the caller has agreed [no].",
    ),
]
RecordMaxMinutes = Annotated[
    float | None, typer.Option(help="Where a recording ends; the call goes on. 0: no limit [120].")
]
KeepRecordings = Annotated[
    float | None,
    typer.Option(metavar="DAYS", help="Delete recordings older than this [all are kept]."),
]
