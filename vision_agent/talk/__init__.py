"""A call from the terminal: this machine's microphone, speaker and camera as a WebRTC peer.

`talk` is a caller like `replay`, and shares its peer: it reaches a server over HTTP and WebRTC, the
one it starts for itself as well as another. Against an agent in the same process that costs some
60 ms (20 to fill a packet, 20 until the next one shows that it is whole, 20 to smooth the playing)
of a reply that takes a second, and gives the very call a browser has: the same turn-taking,
captions, failures and limits.

`sdl.py` is the sound devices, `sound_thread.py` runs them, `echo.py` keeps the agent from hearing
itself, `playout.py` smooths what is played, `tracks.py` and `webcam.py` are what is sent, `call.py`
is the call, and `screen.py` what is shown of it.
"""
