"""Where every offer comes in, by whichever protocol: the same bounds, checks and refusals."""

from __future__ import annotations

import ipaddress
import logging
import math
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace

from fastapi import Request
from starlette.exceptions import HTTPException

from vision_agent.agents.directory import AgentDirectory, UnknownAgent
from vision_agent.agents.host import HostedAgent
from vision_agent.calls.admission import Admission
from vision_agent.calls.call import Call
from vision_agent.calls.connections import CallOver, Superseded
from vision_agent.calls.recording_policy import RecordingPolicy
from vision_agent.calls.refusal import Refusal
from vision_agent.calls.registry import CallRegistry, Draining, FullHouse, NothingToResume
from vision_agent.ice_servers import IceServers
from vision_agent.live.call_options import CallOptions
from vision_agent.live.models import ModelError
from vision_agent.live.sessions.caller_identity import CallerIdentity
from vision_agent.live.sessions.store import session_id_of
from vision_agent.rtc import CannotRenegotiate, Network, Offer
from vision_agent.rtc.network import is_loopback, receiving_host
from vision_agent.rtc.udp_ports import NoFreePort
from vision_agent.server.call_request import NewCall
from vision_agent.server.call_tokens import Grant
from vision_agent.server.identification import Identification
from vision_agent.server.ingress.access import address_of, grant_of, no_entry
from vision_agent.server.ingress.descriptors import is_shortage
from vision_agent.server.receiving import Receiving
from vision_agent.server.token_uses import TokenUses

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 5


@dataclass(frozen=True, slots=True)
class SignallingOptions:
    """What the routes need to know of the server.

    Attributes:
        ice_servers: STUN and TURN servers for callers.
        resume_within_s: How long a conversation can be continued after its call; 0 for never.
        listens_on: The address that HTTP is served on.
        media_host: The address that media is received on; empty to decide by `listens_on`.
        share_screen: Whether callers may share their screen.
        gives_tokens: Whether the server's access token gets tokens for single users.
        worker: The server's name among several; empty if it is the only one.
        recording: Which calls are recorded.
    """

    ice_servers: IceServers
    resume_within_s: float
    listens_on: str
    media_host: str
    share_screen: bool = True
    gives_tokens: bool = False
    worker: str = ""
    recording: RecordingPolicy = field(default_factory=RecordingPolicy)


class Reception:
    """Admits offers, and begins calls for them.

    Args:
        registry: The calls.
        agents: The agents that can be called.
        options: What the routes need to know of the server.
        identification: Finds out who calls.
        uses: Counts the uses of tokens for one user.
        admission: Bounds how often one address, one call and one conversation may ask.
        receiving: Where calls' media arrives.
    """

    def __init__(
        self,
        registry: CallRegistry,
        agents: AgentDirectory,
        options: SignallingOptions,
        identification: Identification,
        uses: TokenUses,
        admission: Admission,
        receiving: Receiving,
    ) -> None:
        self._registry = registry
        self._agents = agents
        self._options = options
        self._identification = identification
        self._uses = uses
        self._admission = admission
        self._receiving = receiving

    def admit(self, request: Request) -> None:
        """Count an offer of any kind, before its body is read; `Refusal` 429 for too many."""
        self._admission.offer(address_of(request), time.monotonic())

    @property
    def believes_clients(self) -> bool:
        """Whether `requestData.user` counts, because the server can't find out who calls."""
        return not self._identification.secured

    async def caller(self, request: Request, claimed: object = None) -> CallerIdentity:
        """Who makes an offer; see `Identification.caller`. `Refusal` 429 for too many offers."""
        caller = await self._identification.caller(request, claimed)
        self._admission.user_offer(caller.user_id, time.monotonic())
        return caller

    async def owns(self, request: Request, call: Call) -> bool:
        """Whether a request comes from a call's own user, as far as the server finds out."""
        caller = await self._identification.caller(request)
        return caller.may_continue(call.lease.user_id)

    def network(self, request: Request) -> Network:
        """Where the caller's media arrives: on loopback only, if its requests do."""
        server, client = request.scope.get("server"), request.scope.get("client")
        reached_at = server[0] if server and _is_address(server[0]) else None
        return self._receiving.network(
            receiving_host(self._options.media_host, self._options.listens_on, reached_at),
            caller_is_local=client is not None and is_loopback(client[0]),
        )

    def agent(self, name: str | None) -> HostedAgent:
        """The agent of a name; `Refusal` 404 if there is none."""
        try:
            return self._agents.find(name)
        except UnknownAgent as error:
            raise Refusal(404, str(error)) from error

    def call_options(self, host: HostedAgent, asked: Mapping[str, object]) -> CallOptions:
        """The options of a call to an agent; `Refusal` 400 if the agent can't answer so."""
        try:
            return host.options(asked)
        except ModelError as error:
            raise Refusal(400, str(error)) from error

    def check_options(self, agent: str | None, asked: Mapping[str, object]) -> None:
        """`Refusal` 400 or 404 if there is no such agent, no such option, or it can't answer so."""
        if unknown := next((name for name in asked if name not in CallOptions.model_fields), None):
            raise Refusal(400, f"options: {unknown[:40]!r} is not an option of a call.")
        self.call_options(self.agent(agent), asked)

    async def begin(
        self, request: Request, offer: Offer, new: NewCall, resume: str | None = None
    ) -> tuple[Call, str]:
        """Begin a call; the call, and the answer's SDP.

        Args:
            request: The one that brought the offer.
            offer: The caller's description.
            new: Who is called, by whom and how.
            resume: The token of a conversation to continue.

        Raises:
            Refusal: With a sentence for the client.
        """
        address, now_s = address_of(request), time.monotonic()
        grant = grant_of(request)
        new = new if grant is None else granted(new, grant)
        with self.refusals(over=503):
            self._admission.begin(address, now_s)
            host = self.agent(new.agent)
            answered = self.call_options(host, new.options)
            recording = self._options.recording.decide(new.record, new.record_consent)
            caller = await self.caller(request, new.user)
            if resume is not None:
                self._admission.restart(session_id_of(resume), now_s)
            async with self._use(grant, resume) as use:
                call, sdp = await self._registry.start(
                    offer,
                    host=host,
                    options=answered,
                    recording=recording,
                    network=self.network(request),
                    resume=resume,
                    only_resumed=use.problem is not None,
                    caller=caller,
                    address=address,
                )
                use.begun = not call.lease.resumed
            problem = (caller.problem,) if caller.problem else ()
            own_choice = host.notes(answered) if "voice" in new.options else ()
            for text in (*problem, *own_choice):
                call.tell(text)
        return call, sdp

    @asynccontextmanager
    async def _use(self, grant: Grant | None, resume: str | None) -> AsyncIterator[_Use]:
        """Use a token, unless no conversation is begun: one that is continued costs no use."""
        use = _Use()
        if grant is None:
            yield use
            return
        # Before the call is begun: two offers at once are two uses.
        use.problem = await self._uses.take(grant, time.time())
        if use.problem is not None and resume is None:
            raise no_entry(use.problem)
        try:
            yield use
        except NothingToResume as error:
            raise no_entry(use.problem or "") from error
        finally:
            if use.problem is None and not use.begun:
                await self._uses.give_back(grant)

    @contextmanager
    def refusals(self, *, over: int) -> Iterator[None]:
        """Turn what keeps an offer from being answered into a `Refusal`.

        Args:
            over: The status for a call that ends meanwhile.
        """
        try:
            yield
        except CallOver as error:
            raise Refusal(over, str(error)) from error
        except (CannotRenegotiate, Superseded) as error:
            raise Refusal(409, str(error)) from error
        except NoFreePort as error:
            text = f"{error} Try again when another call is over."
            raise Refusal(503, text, {"Retry-After": str(RETRY_AFTER_S)}) from error
        except Draining as error:
            # By then another server answers, if there is one.
            wait_s = max(1, math.ceil(error.left_s)) + RETRY_AFTER_S
            raise Refusal(503, str(error), {"Retry-After": str(wait_s)}) from error
        except FullHouse as error:
            raise Refusal(503, str(error), {"Retry-After": str(RETRY_AFTER_S)}) from error
        except HTTPException:
            raise
        except Exception as error:  # a bug of ours: the offer is usable
            if is_shortage(error):
                raise
            logger.exception("an offer could not be answered")
            raise Refusal(500, "The server failed to answer the offer. Try again.") from error


@dataclass(slots=True)
class _Use:
    """How a token is used.

    Attributes:
        problem: Why it can't begin a conversation; None if it can.
        begun: Whether it has.
    """

    problem: str | None = None
    begun: bool = False


def granted(new: NewCall, grant: Grant) -> NewCall:
    """A new call as a token allows it; `Refusal` 403 for another agent than the token's.

    Args:
        new: The call that is asked for.
        grant: What the token allows; its options take precedence.
    """
    if grant.agent is not None and new.agent not in (None, grant.agent):
        raise Refusal(403, f"The token is for the agent {grant.agent!r} only.")
    return replace(new, agent=grant.agent or new.agent, options={**new.options, **grant.options})


def media_type(request: Request) -> str:
    """The type of a request's body, without its parameters; empty if none is given."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
