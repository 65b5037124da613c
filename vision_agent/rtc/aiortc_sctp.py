"""aiortc's SCTP association, bounded in what its peer can make it do.

One of the files that touch private parts of aiortc (see `aiortc_patches`). A subclass,
`BoundedSctpTransport`, replaces the association: `sctp_reassembly` joins the fragments, data out of
order is bounded, and a packet costs about the same whatever it contains. A packet that aiortc fails
on is dropped. In stock aiortc the exception ends the receive loop of the whole connection, audio
and video included.

Written for aiortc 1.16.
"""

from __future__ import annotations

import contextlib
import logging
from typing import Any

from vision_agent.rtc import failures
from vision_agent.rtc.aiortc_shape import check_attributes, check_functions, check_uses
from vision_agent.rtc.own import aiortc
from vision_agent.rtc.own.aiortc import RTCDataChannel
from vision_agent.rtc.own.aiortc.rtcsctptransport import (
    AbortChunk,
    Chunk,
    DataChunk,
    ForwardTsnChunk,
    InitChunk,
    RTCSctpTransport,
    SackChunk,
)
from vision_agent.rtc.sctp_reassembly import (
    WINDOW_BYTES,
    Fragment,
    PeerMisbehaves,
    Reassembly,
    tsn_ahead,
)

logger = logging.getLogger(__name__)

# Typed as Any, because attributes of the module are replaced.
sctp_module: Any = aiortc.rtcsctptransport
peer_connection_module: Any = aiortc.rtcpeerconnection

RTO_INITIAL_S = 1.0
"""How long a packet of the handshake, and the first data, wait for their answer (RFC 9260 16);
aiortc waits for 3 s."""

MAX_INIT_RETRANSMISSIONS = 26
"""aiortc tries for 27 s too, which is nine times 3 s."""

MAX_CONTROL_CHUNKS = 8
"""How many control chunks of a packet are handled. Each may need an answer, and a packet has room
for 300 chunks of four bytes."""

MAX_RECONFIG_PARAMETERS = 2  # RFC 6525 3.1
MAX_REPORTED_DUPLICATES = 16
MAX_GAP_BLOCKS = 256  # with more, a SACK no longer fits into a packet
MAX_GAP_OFFSET = 0xFFFF  # the limit of its fields; the peer resends what lies beyond
_USER_INITIATED_ABORT = 12  # RFC 9260 3.3.10.12

_OVERRIDDEN = {
    "_handle_data": ["self", "data"],
    "_mark_received": ["self", "tsn"],
    "_receive_chunk": ["self", "chunk"],
    "_receive_data_chunk": ["self", "chunk"],
    "_receive_forward_tsn_chunk": ["self", "chunk"],
    "_receive_sack_chunk": ["self", "chunk"],
    "_reset_deferred_streams": ["self"],
    "_send_sack": ["self"],
}
_ATTRIBUTES = {
    "_advertised_rwnd",
    "_association_state",
    "_last_received_tsn",
    "_local_tsn",
    "_reconfig_deferred",
    "_reconfig_response_seq",
    "_remote_max_message_size",
    "_remote_verification_tag",
    "_sack_duplicates",
    "_sack_misordered",
    "_sack_needed",
}


def max_message_bytes(channel: RTCDataChannel) -> int:
    """The longest message that the peer of a data channel takes (RFC 8841); 0 for any length."""
    transport: Any = channel.transport
    return int(transport._remote_max_message_size)


class BoundedSctpTransport(RTCSctpTransport):
    """aiortc's `RTCSctpTransport` for a peer that may be hostile.

    Attributes:
        bad_packets: How many packets were dropped: those that aiortc failed on, and attempts to
            restart the association.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._reassembly = Reassembly()
        self._control_chunks = 0
        self._given_up = False
        self.bad_packets = 0

    async def _handle_data(self, data: bytes) -> None:
        if self._given_up:
            return
        self._control_chunks = 0
        try:
            await super()._handle_data(data)
        except PeerMisbehaves as error:
            await self._give_up(str(error))
        except ConnectionError:
            raise
        except Exception as error:  # whatever a malformed packet makes aiortc raise
            self._drop_packet(repr(error))

    def _drop_packet(self, why: str) -> None:
        failures.drop_datagram()
        self.bad_packets += 1
        if self.bad_packets == 1:
            logger.warning("A packet of a data channel is not valid SCTP: %s.", why)

    async def _give_up(self, reason: str) -> None:
        """Aborts the association, and with it the data channels; the ABORT gives the reason."""
        logger.warning("The data channel of a call is closed: %s.", reason)
        self._given_up = True
        chunk = AbortChunk()
        chunk.params.append((_USER_INITIATED_ABORT, reason.encode()))
        with contextlib.suppress(ConnectionError):
            await self._send_chunk(chunk)
        self._set_state(self.State.CLOSED)

    async def _receive_chunk(self, chunk: Chunk) -> None:
        if not isinstance(chunk, DataChunk):
            self._control_chunks += 1
            if self._control_chunks > MAX_CONTROL_CHUNKS:
                return
            if isinstance(chunk, sctp_module.ReconfigChunk):
                del chunk.params[MAX_RECONFIG_PARAMETERS:]
        if not isinstance(chunk, InitChunk):
            await super()._receive_chunk(chunk)
            return
        if chunk.initiate_tag != self._remote_verification_tag:
            # aiortc would apply the new INIT before its cookie comes back (RFC 9260 5.2.2), and the
            # waiting TSNs would no longer fit. A WebRTC peer restarts with DTLS instead.
            if self._association_state == self.State.ESTABLISHED:
                self._drop_packet("an INIT while the association stands")
            else:
                await super()._receive_chunk(chunk)
            return
        # A late or repeated INIT is answered and changes nothing (RFC 9260 5.2.2). aiortc would
        # expect the first TSN again, and later data from the peer would never be acknowledged.
        kept = self._last_received_tsn, self._reconfig_response_seq
        await super()._receive_chunk(chunk)
        self._last_received_tsn, self._reconfig_response_seq = kept

    async def _receive_data_chunk(self, chunk: DataChunk) -> None:
        self._sack_needed = True
        if self._last_received_tsn is None:
            return  # data that arrives before the handshake
        fragment: Fragment = chunk
        ahead = tsn_ahead(chunk.tsn, self._last_received_tsn)
        if ahead > 1 and not self._reassembly.has_room(fragment):
            return  # not acknowledged, so the peer sends it again
        if self._mark_received(chunk.tsn):
            return
        messages = self._reassembly.add(fragment)
        self._advertised_rwnd = WINDOW_BYTES - self._reassembly.waiting_bytes
        for message in messages:
            await self._receive(*message)
        await self._reset_deferred_streams()

    def _mark_received(self, tsn: int) -> bool:
        assert self._last_received_tsn is not None
        if tsn_ahead(tsn, self._last_received_tsn) <= 0 or tsn in self._sack_misordered:
            if len(self._sack_duplicates) < MAX_REPORTED_DUPLICATES:
                self._sack_duplicates.append(tsn)
            return True
        self._sack_misordered.add(tsn)
        self._advance()
        return False

    def _advance(self) -> None:
        """Moves the cumulative TSN over the TSNs that have been received already."""
        assert self._last_received_tsn is not None
        while (following := (self._last_received_tsn + 1) & 0xFFFFFFFF) in self._sack_misordered:
            self._sack_misordered.remove(following)
            self._last_received_tsn = following

    async def _receive_forward_tsn_chunk(self, chunk: ForwardTsnChunk) -> None:
        self._sack_needed = True
        last = self._last_received_tsn
        if last is None or tsn_ahead(chunk.cumulative_tsn, last) <= 0:
            return
        self._last_received_tsn = chunk.cumulative_tsn
        self._sack_misordered = {
            tsn for tsn in self._sack_misordered if tsn_ahead(tsn, chunk.cumulative_tsn) > 0
        }
        self._advance()
        for stream_id, stream_seq in dict(chunk.streams).items():
            for message in self._reassembly.skip(stream_id, stream_seq):
                await self._receive(*message)
        self._reassembly.prune(self._last_received_tsn)
        self._advertised_rwnd = WINDOW_BYTES - self._reassembly.waiting_bytes
        await self._reset_deferred_streams()

    async def _receive_sack_chunk(self, chunk: SackChunk) -> None:
        outstanding = tsn_ahead(self._local_tsn, chunk.cumulative_tsn) - 1
        if outstanding < 0:
            return  # acknowledges TSNs that were never sent
        # aiortc visits every TSN of every block, and a packet has room for 300 blocks of 65,535.
        acknowledged = 0
        gaps = []
        for first, last in chunk.gaps:
            last = min(last, outstanding)
            if acknowledged < first <= last:
                gaps.append((first, last))
                acknowledged = last
        chunk.gaps = gaps
        await super()._receive_sack_chunk(chunk)

    async def _reset_deferred_streams(self) -> None:
        request = self._reconfig_deferred
        await super()._reset_deferred_streams()
        if request is not None and self._reconfig_deferred is None:
            for stream_id in request.streams:
                self._reassembly.reset(stream_id)

    async def _send_sack(self) -> None:
        if self._last_received_tsn is not None:
            await super()._send_sack()

    async def _send_chunk(self, chunk: Chunk) -> None:
        if isinstance(chunk, SackChunk):
            chunk.gaps = [gap for gap in chunk.gaps[:MAX_GAP_BLOCKS] if gap[1] <= MAX_GAP_OFFSET]
        await super()._send_chunk(chunk)


def decode_params(body: bytes) -> list[tuple[int, bytes]]:
    """Replaces aiortc's `decode_params`, which loops endlessly on a parameter of length 0.

    Raises:
        ValueError: A parameter is shorter than its own header.
    """
    params = []
    at = 0
    while at <= len(body) - 4:
        kind, length = int.from_bytes(body[at : at + 2]), int.from_bytes(body[at + 2 : at + 4])
        if length < 4:
            raise ValueError(f"An SCTP parameter has a length of {length} bytes.")
        params.append((kind, body[at + 4 : at + length]))
        at += length + -length % 4
    return params


def install() -> None:
    """Installs the replacements in aiortc's modules."""
    sctp_module.decode_params = decode_params
    sctp_module.SCTP_RTO_INITIAL = RTO_INITIAL_S
    sctp_module.SCTP_MAX_INIT_RETRANS = MAX_INIT_RETRANSMISSIONS
    peer_connection_module.RTCSctpTransport = BoundedSctpTransport


def check() -> None:
    """Checks the parts of aiortc that this file replaces or reads.

    Raises:
        Changed: One differs from what this file expects.
    """
    check_functions((RTCSctpTransport, name, expected) for name, expected in _OVERRIDDEN.items())
    check_attributes(RTCSctpTransport, _ATTRIBUTES)
    check_uses(
        [
            (sctp_module.BaseParamsChunk.__init__, "decode_params"),
            (RTCSctpTransport.__init__, "SCTP_RTO_INITIAL"),
            (RTCSctpTransport._t1_expired, "SCTP_MAX_INIT_RETRANS"),
            (aiortc.rtcpeerconnection.RTCPeerConnection, "RTCSctpTransport"),
        ]
    )
