"""The WebRTC client that `replay` and `talk` are built on."""
