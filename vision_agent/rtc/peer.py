"""One WebRTC peer, from its offer until all its resources are released."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from vision_agent.rtc import aiortc_patches, failures, network, relays
from vision_agent.rtc.answer import answer_for
from vision_agent.rtc.bad_offer import BadOffer
from vision_agent.rtc.candidate import Candidate
from vision_agent.rtc.continued_offer import continued
from vision_agent.rtc.failures import Failures
from vision_agent.rtc.liveness import Liveness
from vision_agent.rtc.network import Network
from vision_agent.rtc.offer import CannotRenegotiate, Offer, OfferedCandidate
from vision_agent.rtc.own.aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCSessionDescription,
)
from vision_agent.rtc.own.aiortc.sdp import candidate_from_sdp
from vision_agent.rtc.probes import Probes
from vision_agent.rtc.relays import stun_servers, turn_servers
from vision_agent.rtc.session_description import shown
from vision_agent.rtc.speaker import Speaker

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 5.0
MAX_CANDIDATES = 100
_A_RELAY = RTCIceServer("turn:relays.invalid", username="", credential="")
"""Makes aiortc ask for a relayed candidate; `aiortc_turn` knows from which servers."""


def _is_one_transport(offer: Offer) -> bool:
    """Whether the offer bundles every section.

    If aiortc is not told so, it leaves a second video section on a transport that it stops.
    """
    mids = [section.mid for section in offer.sections if section.accepted]
    return {*mids} <= {*offer.bundled} and (offer.has_audio or mids[0] == offer.bundled[0])


class PeerClosed(RuntimeError):
    """The peer was closed while its offer was being answered; the text says why."""


class PeerListener(Protocol):
    """The events of a peer. Its methods are called on the event loop."""

    def on_microphone(self, track: MediaStreamTrack) -> None:
        """The peer has an audio track."""

    def on_camera(self, track: MediaStreamTrack) -> None:
        """The peer has a camera track (its first video section)."""

    def on_screen(self, track: MediaStreamTrack) -> None:
        """The peer has a screen track (its second video section), which need not be read.

        A client offers the section whether it shares a screen or not.
        """

    def on_channel(self, channel: RTCDataChannel) -> None:
        """The peer opened its data channel."""

    def on_connected(self) -> None:
        """The peer has connected. Called once."""

    def on_closed(self, reason: str) -> None:
        """The peer is closed; `reason` is a sentence without its full stop. Called once."""


class Peer:
    """Answers one offer, watches the connection, and closes it without leaving anything behind.

    Args:
        listener: receives the peer's events.
        voice: the agent's voice; sent on the offer's audio section. It is stopped with the peer.
        ice_servers: STUN and TURN servers; of each, the first that answers is used.
        network: where media is received, and whether the caller is on this machine.
        connect_timeout_s: how long a peer may take to connect; aiortc sets no limit. A peer that
            shows no sign of connecting is given up earlier (`liveness`).
        vanished_after_s: how long a connected peer may send nothing that is authenticated: no
            media, RTCP, data or consent checks. aiortc takes 28 to 31 s to notice.
    """

    def __init__(
        self,
        listener: PeerListener,
        voice: Speaker,
        *,
        ice_servers: Sequence[RTCIceServer] = (),
        network: Network | None = None,
        connect_timeout_s: float = 15.0,
        vanished_after_s: float = 8.0,
    ) -> None:
        self._listener = listener
        self._voice = voice
        self._one_transport = False
        self._stun, self._relays = stun_servers(ice_servers), turn_servers(ice_servers)
        self._network = network or Network()
        self._failures = Failures(self._on_failure)
        self._connect_timeout_s = connect_timeout_s
        self._vanished_after_s = vanished_after_s
        self._pc: RTCPeerConnection | None = None
        self._tracks: list[MediaStreamTrack] = []
        self._channel: RTCDataChannel | None = None
        self._offer: Offer | None = None
        self._closed_because = ""
        self._negotiating = asyncio.Lock()
        self._retired_because = ""
        self._candidates = 0
        self._probes = Probes(self._network)
        self._connected = False
        self._watching: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    async def accept(self, offer: Offer) -> str:
        """Answers the offer. Called once for each peer.

        Args:
            offer: the caller's description.

        Returns:
            The answer, with all of this side's candidates (aiortc trickles none).

        Raises:
            PeerClosed: the peer was closed meanwhile.
            RuntimeError: this peer has had an offer already, or aiortc differs from the expected
                version. If the answer fails, everything that was built for it is released.
        """
        if self._closing is not None:
            raise PeerClosed(self._closed_because)
        if self._pc is not None:
            raise RuntimeError("A peer takes one offer; a new one needs a new peer.")
        aiortc_patches.install()
        # An empty list means no servers at all; None would mean a public STUN server.
        servers = [_A_RELAY] if self._relays else []
        self._one_transport = _is_one_transport(offer)
        policy = RTCBundlePolicy.MAX_BUNDLE if self._one_transport else RTCBundlePolicy.BALANCED
        pc = self._pc = RTCPeerConnection(RTCConfiguration(servers, bundlePolicy=policy))
        pc.on("connectionstatechange", self._on_state)
        pc.on("datachannel", self._on_channel)
        # The tracks are taken over before aiortc starts any receiver, in the order of the offer.
        pc.on("track", lambda _track: self._take_tracks(pc))
        try:
            # In a task of its own, so that everything the connection starts inherits its context,
            # which names the peer.
            answer = await asyncio.create_task(self._negotiate(pc, offer), name="peer-negotiate")
        except BaseException as error:
            closed = self._closing is not None
            # A peer whose offer could not be answered is not reported as closed.
            await asyncio.shield(self._close_once("the offer could not be answered", tell=False))
            if closed and isinstance(error, Exception):
                raise PeerClosed(self._closed_because) from error
            raise
        if self._closing is not None:
            raise PeerClosed(self._closed_because)
        self._watching = asyncio.create_task(self._watch(pc), name="peer-watch")
        self._watching.add_done_callback(self._watch_ended)
        return answer

    async def renegotiate(self, offer: Offer) -> str:
        """Answers a further offer on the same connection, which changes tracks (RFC 9429 4.1.6).

        Args:
            offer: has the sections of the previous offer, and perhaps more.

        Returns:
            The answer.

        Raises:
            CannotRenegotiate: the connection can't continue with the offer; nothing has changed.
            PeerClosed: the connection is closed.
        """
        async with self._negotiating:
            if self._closing is not None:
                raise PeerClosed(self._closed_because)
            if self._pc is None or self._offer is None:
                raise CannotRenegotiate("There is no connection yet that could go on.")
            offer = continued(self._offer, offer)
            negotiated = self._negotiate(self._pc, offer)
            try:
                return await asyncio.create_task(negotiated, name="peer-negotiate")
            except Exception as error:
                if self._closing is not None:
                    raise PeerClosed(self._closed_because) from error
                raise

    def continues(self, offer: Offer) -> bool:
        """Whether an offer comes from the peer connection that this peer has answered."""
        return self._offer is not None and offer.is_of_the_connection_of(self._offer)

    def retire(self, reason: str) -> None:
        """Closes this peer because another one takes its place; `on_closed` is not called.

        A peer that is still connecting can't notify the caller yet. It is closed once it has
        connected, or when it has not connected in time.
        """
        self._retired_because = reason
        self._release_media()
        if self._connected:
            self._close_once(reason, tell=False)

    async def add_candidates(self, candidates: list[dict[str, object]]) -> None:
        """Takes candidates that the peer found after its offer (trickle ICE, RFC 8838).

        Args:
            candidates: of the form `{"candidate", "sdp_mid", "sdp_mline_index"}`; an empty
                `candidate` marks their end.

        Raises:
            BadOffer: there is no call yet, or one item is not a candidate; those before it were
                taken.
        """
        if self._pc is None or self._offer is None:
            raise BadOffer("There is no call that these candidates could belong to.")
        for item in candidates:
            if self._closing is not None:
                return
            text = item.get("candidate") if isinstance(item, dict) else None
            if not isinstance(text, str):
                raise BadOffer("A candidate must be a short text.")
            # The end of the candidates is not passed on to aiortc: a peer whose addresses are all
            # hidden (mDNS) gives none that can be used, and still reaches this server.
            if not text.removeprefix("a=").removeprefix("candidate:").strip():
                continue
            self._candidates += 1
            if self._candidates > MAX_CANDIDATES:
                raise BadOffer(f"At most {MAX_CANDIDATES} candidates are taken.")
            mid, index = item.get("sdp_mid"), item.get("sdp_mline_index")
            mid = mid if isinstance(mid, str) and mid else None
            position = self._offer.position(index) if isinstance(index, int) else None
            if mid is not None and not self._offer.has_section(mid):
                raise BadOffer(f"The offer has no section with the identifier {shown(mid)}.")
            if mid is None and position is None:
                raise BadOffer("A candidate must name its section (sdp_mid or sdp_mline_index).")
            await self._probe(self._pc, OfferedCandidate(Candidate.parse(text), mid, position))

    async def close(self, reason: str = "closed") -> None:
        """Closes the connection and returns when its resources are released. Safe to call again.

        Normally takes a few milliseconds. aiortc is given `CLOSE_TIMEOUT_S`; if it fails, its tasks
        are given 1 s to end, and each transport 1 s to close.
        """
        await asyncio.shield(self._close_once(reason))

    def _close_once(self, reason: str, *, tell: bool = True) -> asyncio.Task[None]:
        if self._closing is None:
            self._closed_because = reason
            self._closing = asyncio.create_task(self._let_go(reason, tell), name="peer-close")
        return self._closing

    async def _negotiate(self, pc: RTCPeerConnection, offer: Offer) -> str:
        failures.current.set(self._failures)
        network.current.set(self._network)
        relays.current.set(self._relays)
        relays.current_stun.set(self._stun)
        if offer.has_audio and not any(s.track is self._voice for s in pc.getSenders()):
            # Added before the offer is set, the voice is sent on the section that is meant for it.
            self._voice.use_codec(offer.voice_codec)
            aiortc_patches.send_on(pc, self._voice, offer.voice_at)
            if self._one_transport:
                aiortc_patches.share_transport(pc)
        await pc.setRemoteDescription(RTCSessionDescription(offer.sdp, "offer"))
        if self._one_transport:
            aiortc_patches.share_transport(pc, offer.bundled[0])
        self._offer = offer
        aiortc_patches.state_parameter_sets(pc, offer.parameter_sets)
        for candidate in offer.candidates:
            await self._probe(pc, candidate)
        await pc.setLocalDescription(await pc.createAnswer())
        return answer_for(offer, pc.localDescription.sdp)

    async def _probe(self, pc: RTCPeerConnection, offered: OfferedCandidate) -> None:
        """Lets ICE send checks to one of the caller's addresses.

        An mDNS name (RFC 8828, "….local") is left out. It can be resolved only by multicast, on a
        socket that everyone can write to, and that delays the answer by up to a second. It is not
        needed: the peer's first check shows its address (RFC 8445 7.3.1.3).
        """
        found = offered.candidate
        now_s = asyncio.get_running_loop().time()
        relayed = bool(self._relays) and " typ relay" in found.text
        if not (
            found.usable and self._probes.allow(found.host, found.port, now_s, relayed=relayed)
        ):
            return
        candidate = candidate_from_sdp(found.text)
        candidate.sdpMid, candidate.sdpMLineIndex = offered.mid, offered.index
        await pc.addIceCandidate(candidate)

    def _take_tracks(self, pc: RTCPeerConnection) -> None:
        videos = 0
        for transceiver in pc.getTransceivers():
            # A section counts whether it sends or not: the screen is the second video section, not
            # the second video track.
            videos += transceiver.kind == "video"
            track = transceiver.receiver.track
            if track is None or track in self._tracks:
                continue
            aiortc_patches.attach_decoder_queue(transceiver.receiver)
            self._tracks.append(track)
            if transceiver.kind == "audio":
                self._listener.on_microphone(track)
            elif videos == 1:
                self._listener.on_camera(track)
            else:
                self._listener.on_screen(track)

    def _on_channel(self, channel: RTCDataChannel) -> None:
        if self._retired_because:
            return
        if self._channel is not None and self._channel.readyState in ("connecting", "open"):
            logger.info("A second data channel is closed: one is enough.")
            channel.close()
            return
        self._channel = channel
        self._listener.on_channel(channel)

    def _on_state(self) -> None:
        assert self._pc is not None
        state = self._pc.connectionState
        if state == "connected" and not self._connected and self._closing is None:
            self._connected = True
            if self._retired_because:
                self._close_once(self._retired_because)
            else:
                self._listener.on_connected()
        elif state == "failed":
            self._close_once("the connection failed")
        elif state == "closed":
            expired = aiortc_patches.Transports(self._pc).consent_expired()
            self._close_once("the peer answers no more" if expired else "the peer hung up")

    async def _watch(self, pc: RTCPeerConnection) -> None:
        loop = asyncio.get_running_loop()
        transports = aiortc_patches.Transports(pc)
        liveness = Liveness(
            loop.time(),
            connect_timeout_s=self._connect_timeout_s,
            vanished_after_s=self._vanished_after_s,
        )
        while True:
            await asyncio.sleep(liveness.interval_s)
            reason = liveness.judge(
                loop.time(),
                connected=self._connected,
                checks=transports.checks(),
                verified=transports.verified(),
            )
            if reason is not None:
                self._close_once(reason)
                return
            if self._connected:
                await transports.close_unused_sockets()

    def _watch_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            self._failures.note("Watching the connection failed", error, fatal=True)

    def _on_failure(self, what: str) -> None:
        self._close_once(f"the connection failed on the server: {what[0].lower()}{what[1:]}")

    async def _let_go(self, reason: str, tell: bool) -> None:
        self._failures.close()
        if tell and not self._retired_because:
            self._tell(lambda: self._listener.on_closed(reason))
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])
            self._watching = None  # its exception holds this peer
        self._release_media()
        if (pc := self._pc) is None:
            return
        try:
            # Called once only: a second close() of aiortc can wait without end for the first.
            await asyncio.wait_for(pc.close(), CLOSE_TIMEOUT_S)
            aiortc_patches.forget_listeners(pc)
        except Exception as error:  # whatever aiortc raises, the sockets must be closed
            logger.warning("aiortc could not close a connection: %r", error)
            await aiortc_patches.abandon(pc)

    def _release_media(self) -> None:
        for track in self._tracks:
            aiortc_patches.end_track(track)
        self._voice.stop()

    def _tell(self, notice: Callable[[], None]) -> None:
        try:
            notice()
        except Exception:  # a failing listener must not keep the sockets open
            logger.exception("A listener failed on being told that its peer is gone.")
