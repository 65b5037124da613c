"""The HTTP side: the page, signalling, health and metrics."""
