"""A call from the terminal: this machine's microphone, speaker, camera and screen as a WebRTC peer.

`talk` is a caller like `replay`, built on `vision_agent.caller`: it reaches every server over HTTP
and WebRTC, including one it starts itself. Compared with an agent in the same process that costs
some 60 ms of a reply that takes a second (20 to fill a packet, 20 until the next packet shows that
it is whole, 20 of playout buffer). In return the call is the one a browser makes, with the same
turn-taking, captions, failures and limits.

`sdl.py` opens the sound devices, `sound_thread.py` runs them, `echo.py` removes the agent's echo.
`live_microphone.py`, `webcam.py` and `display.py` are the tracks that are sent, `devices.py` puts
them together, and `screen.py` shows the call.
"""
