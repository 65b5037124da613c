"""aiortc's DTLS transport and tasks, with every failure reported.

One of the files that touch private parts of aiortc (see `aiortc_patches`). It replaces:

- ``RTCDtlsTransport``: a flight of the handshake is sent again soon if it is not answered. A packet
  that can't be handled is dropped, because the exception would end the receive loop of the whole
  connection. Authenticated packets are counted. Media goes from the
  socket to its receiver, and from its sender to the socket, without a task in between.
- ``RTCCertificate``: peers with an RSA certificate are accepted when this side opens DTLS.
- ``asyncio.ensure_future`` and ``create_task`` in aiortc's and aioice's modules, SCTP's timers, and
  the sender's log function: a task that fails is reported, and the call ends with a reason.

Written for aiortc 1.16 and aioice 0.13.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
import time
import types
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import pylibsrtp
from OpenSSL import SSL

from vision_agent.rtc import failures
from vision_agent.rtc.aiortc_shape import Changed, check_attributes, check_functions
from vision_agent.rtc.media_packet import MediaPacket
from vision_agent.rtc.own import aioice, aiortc
from vision_agent.rtc.own.aiortc import (
    RTCCertificate,
    RTCDtlsTransport,
    RTCRtpSender,
    RTCSctpTransport,
)
from vision_agent.rtc.own.aiortc.exceptions import InvalidStateError
from vision_agent.rtc.own.aiortc.rtcdtlstransport import State
from vision_agent.rtc.own.aiortc.rtp import is_rtcp

peer_connection_module: Any = aiortc.rtcpeerconnection
_TASK_MODULES: list[Any] = [
    aioice.ice,
    aiortc.rtcdtlstransport,
    aiortc.rtcicetransport,
    aiortc.rtcpeerconnection,
    aiortc.rtcrtpreceiver,
    aiortc.rtcrtpsender,
    aiortc.rtcsctptransport,
]
_TIMERS = ["_t1_expired", "_t2_expired", "_t3_expired", "_reconfig_timer_expired"]
_SENDER_WARNING = "_RTCRtpSender__log_warning"
_TASK_FAILED = "A task of the connection failed"

MAX_BAD_PACKETS_IN_A_ROW = 200
"""After more failures in a row, the receiving code is broken and would fail without end."""

_ECDSA_SUITES = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA"
)
_CIPHER_SUITES = f"{_ECDSA_SUITES}:{_ECDSA_SUITES.replace('-ECDSA-', '-RSA-')}".encode()

MAX_FLIGHT_BYTES = 1500
"""How much aiortc sends in a datagram."""

REPEATS_S = (0.1, 0.2, 0.4)
"""After these waits a flight of the handshake is sent again. OpenSSL's timers of 1, 2 and 4 seconds
run on; libwebrtc sets BoringSSL's first one to 50 ms."""


class GuardedDtlsTransport(RTCDtlsTransport):
    """A DTLS transport whose receive loop no single packet ends.

    Attributes:
        verified: the number of authenticated packets from the peer: SRTP, SRTCP and data.
        failures: the failures of the peer whose transport this is.
    """

    # aiortc's own counters, which are in its statistics.
    _RTCDtlsTransport__rx_bytes: int
    _RTCDtlsTransport__rx_packets: int
    _RTCDtlsTransport__tx_bytes: int
    _RTCDtlsTransport__tx_packets: int
    _ssl: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connection: Any = self.transport._connection
        self._router: Any = self._rtp_router
        self.verified = 0
        self.failures = failures.current.get()
        self._bad_in_a_row = 0
        self._repeat: asyncio.TimerHandle | None = None

    async def _write_ssl(self) -> None:
        """Sends what OpenSSL has written; an unanswered flight of the handshake again and again.

        OpenSSL's timer does not cover the last flight of a DTLS server, and pyOpenSSL can't set it.
        """
        if self._state is not State.CONNECTING:
            await super()._write_ssl()
            return
        try:
            flight = self._ssl.bio_read(MAX_FLIGHT_BYTES)
        except SSL.Error:
            return  # nothing to send
        self._stop_repeating()
        self._send_flight(flight, REPEATS_S)

    def _send_flight(self, flight: bytes, waits_s: tuple[float, ...]) -> None:
        self._connection.send_now(flight)
        self._RTCDtlsTransport__tx_bytes += len(flight)
        self._RTCDtlsTransport__tx_packets += 1
        if waits_s:
            loop = asyncio.get_running_loop()
            self._repeat = loop.call_later(waits_s[0], self._send_again, flight, waits_s[1:])

    def _send_again(self, flight: bytes, waits_s: tuple[float, ...]) -> None:
        # The server's last flight has arrived once something comes that is encrypted with the keys.
        last = self._state is State.CONNECTED and self._role == "server" and not self.verified
        if last or self._state is State.CONNECTING:
            with contextlib.suppress(ConnectionError):
                self._send_flight(flight, waits_s)

    def _stop_repeating(self) -> None:
        if self._repeat is not None:
            self._repeat.cancel()
            self._repeat = None

    async def stop(self) -> None:
        """Closes the transport."""
        await super().stop()
        self._stop_repeating()

    async def _recv_next(self) -> None:
        try:
            await super()._recv_next()
        except ConnectionError:
            raise
        except Exception as error:  # whatever one packet causes
            if self._failed_on_packet(error):
                raise
        else:
            self._bad_in_a_row = 0

    def _failed_on_packet(self, error: Exception) -> bool:
        """Reports a packet's failure; returns whether too many packets in a row have failed."""
        failures.report("A packet could not be handled", error, of=self.failures)
        self._bad_in_a_row += 1
        return self._bad_in_a_row > MAX_BAD_PACKETS_IN_A_ROW

    def _set_state(self, state: Any) -> None:
        super()._set_state(state)
        # aiortc itself passes each packet through a queue and a task, which takes a turn of the
        # event loop. A caller's transport in the same process (as in tests) has no `failures` and
        # keeps aiortc's way.
        direct = state is State.CONNECTED and self.failures is not None
        self._connection.take_media = self._take_media if direct else None

    def _take_media(self, data: bytes) -> bool:
        """Handles an SRTP packet on arrival; returns whether the datagram was one."""
        if not 127 < data[0] < 192 or is_rtcp(data):
            return False
        self._RTCDtlsTransport__rx_bytes += len(data)
        self._RTCDtlsTransport__rx_packets += 1
        try:
            packet = self._rx_srtp.unprotect(data)
            self.verified += 1
            self._take_rtp(packet)
        except pylibsrtp.Error:
            pass  # not authentic, or a duplicate
        except Exception as error:  # whatever one packet causes
            if self._failed_on_packet(error):
                failures.report("Receiving failed", error, fatal=True, of=self.failures)
        else:
            self._bad_in_a_row = 0
        return True

    def _take_rtp(self, data: bytes) -> None:
        try:
            packet = MediaPacket.parse(data)
        except ValueError:
            return
        receiver = self._router.route_rtp(packet)
        if receiver is not None:
            receiver.take(packet, time.monotonic())

    async def _handle_rtp_data(self, data: bytes, arrival_time_ms: int) -> None:
        self.verified += 1
        await super()._handle_rtp_data(data, arrival_time_ms)

    def send_now(self, data: bytes) -> None:
        """Encrypts and sends an RTP or RTCP packet.

        Raises:
            ConnectionError: there is no connection.
        """
        if self._state is not State.CONNECTED:
            raise ConnectionError("Cannot send encrypted RTP, not connected")
        session = self._tx_srtp
        data = session.protect_rtcp(data) if is_rtcp(data) else session.protect(data)
        self._connection.send_now(data)
        self._RTCDtlsTransport__tx_bytes += len(data)
        self._RTCDtlsTransport__tx_packets += 1

    async def _send_rtp(self, data: bytes) -> None:
        self.send_now(data)

    def _handle_rtcp_data(self, data: bytes) -> Coroutine[Any, Any, None]:
        self.verified += 1
        return super()._handle_rtcp_data(data)

    def _register_data_receiver(self, receiver: Any) -> None:
        super()._register_data_receiver(receiver)
        of_receiver = weakref.WeakMethod(receiver._handle_data)  # the receiver keeps `counted`

        def counted(data: bytes) -> Coroutine[Any, Any, None]:
            self.verified += 1
            handle_data: Any = of_receiver()
            handled: Coroutine[Any, Any, None] = handle_data(data)
            return handled

        receiver._handle_data = counted

    # aiortc calls this inside `except` when its receive loop fails.
    def _RTCDtlsTransport__log_warning(self, *_: object) -> None:
        if error := sys.exc_info()[1]:
            failures.report("Receiving failed", error, fatal=True, of=self.failures)


class AnyPeerCertificate(RTCCertificate):
    """A certificate whose DTLS client offers RSA suites too; aiortc's offers ECDSA suites only."""

    def _create_ssl_context(self, srtp_profiles: Any) -> SSL.Context:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_cipher_list(_CIPHER_SUITES)
        return context


def _reporting(log_warning: Callable[..., None]) -> Callable[..., None]:
    """Replaces the function that aiortc calls inside `except` when the media-sending task fails."""

    @functools.wraps(log_warning)
    def reporting(sender: RTCRtpSender, *_: object) -> None:
        if error := sys.exc_info()[1]:
            failures.report("Sending the voice failed", error, fatal=True, of=_peer_of(sender))

    return reporting


def _peer_of(owner: object) -> failures.Failures | None:
    """The failures of the peer to which a part of a connection belongs.

    The context does not always name the peer: the call's own tasks send too, and they may be older
    than the connection.
    """
    transport = owner if isinstance(owner, RTCDtlsTransport) else getattr(owner, "transport", None)
    return getattr(transport, "failures", None)


def _ended(peer: failures.Failures | None, task: asyncio.Future[Any]) -> None:
    if task.cancelled():
        return
    error = task.exception()
    # A connection that is gone is not a failure: its end is noticed elsewhere.
    if isinstance(error, Exception) and not isinstance(error, ConnectionError | InvalidStateError):
        failures.report(_TASK_FAILED, error, fatal=True, of=peer)


def _watched(start: Callable[..., asyncio.Future[Any]]) -> Callable[..., asyncio.Future[Any]]:
    @functools.wraps(start)
    def watched(*args: Any, **kwargs: Any) -> asyncio.Future[Any]:
        frame = getattr(args[0], "cr_frame", None)
        peer = _peer_of(frame.f_locals.get("self")) if frame is not None else None
        task = start(*args, **kwargs)
        task.add_done_callback(functools.partial(_ended, peer))
        return task

    return watched


def _watched_asyncio() -> types.ModuleType:
    """A copy of `asyncio` for a module whose tasks nobody awaits: a failed task is reported."""
    module = types.ModuleType("asyncio")
    vars(module).update(vars(asyncio))
    vars(module)["ensure_future"] = _watched(asyncio.ensure_future)
    vars(module)["create_task"] = _watched(asyncio.create_task)
    return module


def _watched_timer(expired: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(expired)
    def watched(self: Any) -> None:
        try:
            expired(self)
        except Exception as error:
            what = "A timer of the data channel failed"
            failures.report(what, error, fatal=True, of=_peer_of(self))

    return watched


def install() -> None:
    """Installs the replacements in aiortc's and aioice's modules."""
    peer_connection_module.RTCDtlsTransport = GuardedDtlsTransport
    peer_connection_module.RTCCertificate = AnyPeerCertificate
    watched = _watched_asyncio()
    for module in _TASK_MODULES:
        module.asyncio = watched
    setattr(RTCRtpSender, _SENDER_WARNING, _reporting(getattr(RTCRtpSender, _SENDER_WARNING)))
    for name in _TIMERS:
        setattr(RTCSctpTransport, name, _watched_timer(getattr(RTCSctpTransport, name)))


_OVERRIDDEN: list[tuple[Any, str, list[str]]] = [
    (RTCDtlsTransport, "_recv_next", ["self"]),
    (RTCDtlsTransport, "_set_state", ["self", "state"]),
    (RTCDtlsTransport, "_write_ssl", ["self"]),
    (RTCDtlsTransport, "_send_rtp", ["self", "data"]),
    (RTCDtlsTransport, "_handle_rtp_data", ["self", "data", "arrival_time_ms"]),
    (RTCDtlsTransport, "_handle_rtcp_data", ["self", "data"]),
    (RTCDtlsTransport, "_register_data_receiver", ["self", "receiver"]),
    (RTCDtlsTransport, "_RTCDtlsTransport__log_warning", ["self", "msg", "args"]),
    (RTCRtpSender, _SENDER_WARNING, ["self", "msg", "args"]),
    (RTCCertificate, "_create_ssl_context", ["self", "srtp_profiles"]),
    (RTCSctpTransport, "_handle_data", ["self", "data"]),
    *((RTCSctpTransport, name, ["self"]) for name in _TIMERS),
]


_ATTRIBUTES = {
    "_rtp_router",
    "_rx_srtp",
    "_tx_srtp",
    "_role",
    "_ssl",
    "_state",
    "_RTCDtlsTransport__rx_bytes",
    "_RTCDtlsTransport__rx_packets",
    "_RTCDtlsTransport__tx_bytes",
    "_RTCDtlsTransport__tx_packets",
}


def check() -> None:
    """Checks the parts of aiortc that this file replaces or reads.

    Raises:
        Changed: One differs from what this file expects.
    """
    check_attributes(RTCDtlsTransport, _ATTRIBUTES)
    check_functions(_OVERRIDDEN)
    for module in _TASK_MODULES:
        if not hasattr(module, "asyncio"):
            raise Changed(f"{module.__name__} no longer uses asyncio")
    for name in ("RTCDtlsTransport", "RTCCertificate"):
        if not hasattr(aiortc.rtcpeerconnection, name):
            raise Changed(f"RTCPeerConnection no longer makes an {name}")
