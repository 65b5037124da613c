"""`vision-agent talk`: a call from the terminal."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from vision_agent.cli.called_server import CalledServer
from vision_agent.cli.options import (
    Logs,
    check_writable,
    err,
    out,
    refuse,
    user_errors,
)
from vision_agent.logs import LogFormat
from vision_agent.terminal import one_line


@CalledServer.flags
def talk(
    *,
    server: CalledServer,
    text: Annotated[bool, typer.Option("--text", help="Type instead of talking.")] = False,
    demo: Annotated[
        bool, typer.Option("--demo", help="A scripted conversation; needs no device.")
    ] = False,
    push_to_talk: Annotated[
        bool, typer.Option("--push-to-talk", help="The microphone is off until you press Space.")
    ] = False,
    headphones: Annotated[
        bool, typer.Option("--headphones", help="No echo to remove: the microphone as it is.")
    ] = False,
    half_duplex: Annotated[
        bool, typer.Option("--half-duplex", help="Microphone off while the agent speaks.")
    ] = False,
    input_device: Annotated[
        str | None, typer.Option("--input", help="Microphone: number, part of its name, or none.")
    ] = None,
    output_device: Annotated[
        str | None, typer.Option("--output", help="Speaker: number, part of its name, or none.")
    ] = None,
    camera: Annotated[
        str | None, typer.Option(help="Camera: number, a recording to show instead, or none.")
    ] = None,
    screen: Annotated[
        bool, typer.Option("--screen", help="Share this machine's screen as well.")
    ] = False,
    preview: Annotated[
        bool, typer.Option("--preview", help="A window with what the agent sees.")
    ] = False,
    list_devices: Annotated[
        bool, typer.Option("--list-devices", help="List microphones, speakers, cameras.")
    ] = False,
    record: Annotated[
        Path | None, typer.Option(help="Write both sides here: WAV, you left, the agent right.")
    ] = None,
    wav: Annotated[Path | None, typer.Option(help="Write the agent's voice here, WAV.")] = None,
    log_format: Logs = LogFormat.TEXT,
) -> None:
    """Talk to the agent from the terminal, with this machine's microphone, speaker and camera.

    Ctrl-C hangs up. Exit code 1 if the call failed or a typed or scripted line got no answer.
    """
    from vision_agent.caller.failure import CallFailed, CallRefused
    from vision_agent.cli.talk.run import TalkOptions, run
    from vision_agent.talk.choosing import NoSuchDevice
    from vision_agent.talk.devices import DeviceOptions, NotPossible, print_devices
    from vision_agent.talk.display import DisplayUnavailable
    from vision_agent.talk.preview import NoPreview
    from vision_agent.talk.sdl import SoundUnavailable
    from vision_agent.talk.webcam import CameraUnavailable

    if list_devices:
        print_devices(out)
        return
    options = TalkOptions(
        devices=DeviceOptions(
            scripted=demo,
            typed=text,
            input=input_device,
            output=output_device,
            camera=camera,
            headphones=headphones,
            half_duplex=half_duplex,
            screen=screen,
        ),
        server=server,
        push_to_talk=push_to_talk,
        preview=preview,
        record=record,
        wav=wav,
    )
    with user_errors():
        check_writable(record, wav)
        try:
            answered = asyncio.run(run(options, out))
        except (
            NotPossible,
            NoSuchDevice,
            SoundUnavailable,
            CameraUnavailable,
            DisplayUnavailable,
            NoPreview,
        ) as error:
            refuse(str(error))
        except (CallRefused, CallFailed) as error:
            err.say(one_line(error), "red")
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            return
    if not answered:
        raise typer.Exit(1)
