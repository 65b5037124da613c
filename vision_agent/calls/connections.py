"""The peer connections of one call: the present one, and the one that it has replaced."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from vision_agent.calls.options import PeerOptions
from vision_agent.calls.recorded_listener import RecordedListener
from vision_agent.calls.recording_control import RecordingControl
from vision_agent.closing import Closing
from vision_agent.rtc import Network, Offer, Peer, PeerClosed, PeerListener, Speaker
from vision_agent.rtc.own.aiortc import RTCIceServer


class CallOver(RuntimeError):
    """The call is ending: it can't be taken up again, but its conversation can."""


class Superseded(RuntimeError):
    """A restart that a newer one has overtaken."""


class PeerConnections:
    """Answers a call's offers, each on the peer connection that it is about.

    Args:
        new_peer: Makes a peer for a network; None for all of this machine's addresses.
        ended_because: Why the call is ending; None while it is not.
        end: Ends the call, with the reason.
        answered: Called with each offer that has been answered.
    """

    def __init__(
        self,
        new_peer: Callable[[Network | None], Peer],
        ended_because: Callable[[], str | None],
        end: Callable[[str], None],
        answered: Callable[[Offer], None],
    ) -> None:
        self._new_peer = new_peer
        self._ended_because = ended_because
        self._end = end
        self._answered = answered
        self._present: Peer | None = None
        self._retired: Peer | None = None
        self._newest_restart = 0
        self._restarting = asyncio.Lock()

    @property
    def present(self) -> Peer:
        """The peer of the present connection; there is one once an offer has come."""
        assert self._present is not None
        return self._present

    async def accept(self, offer: Offer, network: Network | None) -> str:
        """Make a connection for an offer; the answer's SDP.

        Raises:
            CallOver: The call was ended meanwhile.
        """
        self._present = self._new_peer(network)
        try:
            answer = await self._present.accept(offer)
        except PeerClosed as closed:
            raise self._over(str(closed)) from closed
        if self._ended_because() is not None:
            raise self._over("")
        self._answered(offer)
        return answer

    async def restart(
        self, offer: Offer, network: Network | None, renew: Callable[[], None]
    ) -> str:
        """Replace the connection: the caller's network has changed.

        Args:
            offer: Of the caller's new peer connection.
            network: Where its media is received.
            renew: Prepares the call's media for a new peer.

        Raises:
            CallOver: The call is ending.
            Superseded: A newer restart has come meanwhile.
        """
        self._newest_restart += 1
        number = self._newest_restart
        async with self._restarting:
            self._check_newest(number)
            await self._retire()
            self._check_newest(number)
            renew()
            try:
                answer = await self.accept(offer, network)
            except BaseException:
                self._end("the new connection failed")
                raise
            self._check_newest(number)
            return answer

    async def renegotiate(self, offer: Offer) -> str:
        """Answer a further offer on the present connection: tracks come and go.

        Raises:
            CallOver: The call is ending.
            CannotRenegotiate: The connection can't go on with this offer; nothing has changed.
        """
        async with self._restarting:
            try:
                answer = await self.present.renegotiate(offer)
            except PeerClosed as closed:
                raise CallOver("The call is over.") from closed
            self._answered(offer)
            return answer

    def continues(self, offer: Offer) -> bool:
        """Whether an offer comes from the caller's end of the present connection."""
        return self.present.continues(offer)

    async def add_candidates(self, candidates: list[dict[str, Any]]) -> None:
        """Take trickled ICE candidates; see `Peer.add_candidates`."""
        await self.present.add_candidates(candidates)

    async def close(self, closing: Closing, reason: str) -> None:
        """Close both connections, whatever becomes of either."""
        if self._present is not None:
            await closing.wait("the peer", self._present.close(reason))
        if self._retired is not None:
            await closing.wait("the peer before", self._retired.close(reason))

    def _check_newest(self, number: int) -> None:
        if self._ended_because() is not None:
            raise CallOver("The call is over.")
        if number != self._newest_restart:
            raise Superseded("A newer connection has taken this call over.")

    async def _retire(self) -> None:
        """Release the current connection; its caller is told, even if it has yet to connect."""
        retired, self._retired = self._retired, self.present
        self._retired.retire("replaced by a new connection")
        if retired is not None:
            await retired.close("replaced by a new connection")

    def _over(self, otherwise: str) -> CallOver:
        reason = self._ended_because() or otherwise
        return CallOver(f"The call ended while it was being set up: {reason}.")


def new_peer(
    listener: PeerListener,
    speaker: Speaker,
    options: PeerOptions,
    recording: RecordingControl,
    network: Network | None,
) -> Peer:
    """A peer whose media is received on a network, with credentials of its own for a relay.

    Args:
        listener: The call.
        speaker: The agent's voice.
        options: How peers are reached.
        recording: Whether the call is recorded, and how.
        network: None for all of this machine's addresses.
    """
    recording.hears("agent", speaker)
    return Peer(
        RecordedListener(listener, recording),
        speaker,
        ice_servers=[
            RTCIceServer(**server) for server in options.ice_servers.for_call(time.time())
        ],
        network=network,
        connect_timeout_s=options.connect_timeout_s,
        vanished_after_s=options.vanished_after_s,
    )
