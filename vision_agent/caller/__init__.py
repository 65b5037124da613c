"""The WebRTC client that `replay`, `talk` and `CallClient` are built on.

`call.py` dials, waits and hangs up, over `signalling.py` (HTTP) and `peer.py` (WebRTC);
`transcript.py` collects what the server says. `interactive_call.py` adds what a conversation needs,
and `client.py` makes it a Python API. `recording.py` reads media files, `tracks.py` sends them.
"""
