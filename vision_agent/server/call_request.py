"""The body of an offer, read once into one checked value. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from vision_agent.calls.refusal import Refusal
from vision_agent.live.call_options import CallOptions
from vision_agent.live.sessions.store import MAX_TOKEN_CHARS
from vision_agent.rtc import BadOffer, Offer

_Form = TypeVar("_Form", bound=BaseModel)


def _alias(name: str, *others: str) -> Any:
    """A field under its snake_case name, which error messages use, and under its camelCase name."""
    return AliasChoices(name, to_camel(name), *others)


class _OfferBody(BaseModel):
    model_config = ConfigDict(extra="ignore")

    sdp: str = Field(min_length=1)
    type: str
    pc_id: str | None = Field(default=None, validation_alias=_alias("pc_id"))
    restart_pc: bool | None = Field(default=None, validation_alias=_alias("restart_pc"))
    request_data: dict[str, Any] | None = Field(
        default=None, validation_alias=AliasChoices("requestData", "request_data")
    )

    @model_validator(mode="before")
    @classmethod
    def _is_no_fragment(cls, body: object) -> object:
        if isinstance(body, dict) and "candidates" in body and "sdp" not in body:
            raise PydanticCustomError(
                "fragment", "it holds candidates (trickle ICE) and no offer, and is sent with PATCH"
            )
        return body


class _StartBody(BaseModel):
    model_config = ConfigDict(extra="ignore")

    request_data: dict[str, Any] | None = Field(
        default=None,
        # `body` is the name of Pipecat's runner.
        validation_alias=AliasChoices("requestData", "request_data", "body"),
    )


class TrickledCandidate(BaseModel):
    """One trickled ICE candidate (RFC 8838); an empty one is the last."""

    model_config = ConfigDict(extra="ignore")

    candidate: str
    sdp_mid: str | None = Field(default=None, validation_alias=_alias("sdp_mid"))
    sdp_mline_index: int | None = Field(
        default=None, validation_alias=_alias("sdp_mline_index", "sdpMLineIndex")
    )


class TrickledCandidates(BaseModel):
    """`PATCH /api/offer`: candidates of a call that has been answered."""

    model_config = ConfigDict(extra="ignore")

    pc_id: str = Field(validation_alias=_alias("pc_id"))
    candidates: list[TrickledCandidate] = Field(max_length=100)


@dataclass(frozen=True, slots=True)
class NewCall:
    """The offer begins a call.

    Attributes:
        agent: The name of the agent that is called; None for the server's first one.
        user: The user that the client names, unchecked; None if it names none.
        options: The call's own options by their names in `CallOptions`; the agent checks them.
        record: Whether the call is to be recorded; None if the client does not say.
        record_consent: Whether the caller has agreed to it.
    """

    agent: str | None
    user: object
    options: Mapping[str, object]
    record: bool | None = None
    record_consent: bool = False


@dataclass(frozen=True, slots=True)
class OngoingCall:
    """The offer is about a call in progress, whose `NewCall` is settled already.

    Attributes:
        pc_id: The call's id.
        restart: Whether it needs a new peer connection; None: the offer's credentials tell.
    """

    pc_id: str
    restart: bool | None


@dataclass(frozen=True, slots=True)
class CallRequest:
    """`POST /api/offer`.

    Attributes:
        offer: The checked session description.
        call: The call that it begins or is about.
        resume: The token of a conversation: to continue, or that of the ongoing call.
    """

    offer: Offer
    call: NewCall | OngoingCall
    resume: str | None

    @classmethod
    def parse(
        cls,
        body: bytes,
        *,
        began_with: Mapping[str, object] = MappingProxyType({}),
    ) -> CallRequest:
        """Check a request's body.

        Every name is taken in snake_case and in camelCase (`request_data`, `requestData`).

        Args:
            body: JSON.
            began_with: The fields of `POST /start` (`parse_start`); the offer's own `requestData`
                takes precedence.

        Raises:
            Refusal: 400 with a sentence.
        """
        form = read_form(body, _OfferBody)
        if form.type != "offer":
            raise Refusal(400, f"The type must be 'offer', not {form.type[:20]!r}.")
        data = {**began_with, **_asked(form.request_data or {}, form.pc_id is None)}
        try:
            call = OngoingCall(form.pc_id, form.restart_pc) if form.pc_id else _new_call(data)
            return cls(Offer.parse(form.sdp), call, _resume_token(data))
        except BadOffer as error:
            raise Refusal(400, str(error)) from error


def read_form(body: bytes, form: type[_Form]) -> _Form:
    """A JSON body as a checked form.

    Raises:
        Refusal: 400; the sentence names the first field that is wrong.
    """
    try:
        return form.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise Refusal(400, f"{where}: {first['msg']}.") from error


def parse_start(body: bytes) -> dict[str, object]:
    """The fields of `POST /start`, for the offer that follows; empty without a body.

    Returns:
        `agent`, `user`, `resume`, `record`, `record_consent` and the names of `CallOptions`, those
        that are given.

    Raises:
        Refusal: 400 with a sentence.
    """
    if not body.strip():
        return {}
    return _asked(read_form(body, _StartBody).request_data or {}, begins=True)


def parse_query(query: Mapping[str, str]) -> NewCall:
    """The call that the parameters of a URL ask for, under the names that `requestData` has.

    Args:
        query: The parameters; unknown ones are ignored.

    Raises:
        Refusal: 400 with a sentence.
    """
    return _new_call(_asked(query, begins=True))


def agent_name(data: Mapping[str, object]) -> str | None:
    """The agent that a client asks for; None if it names none.

    Raises:
        Refusal: 400; it is not text.
    """
    name = data.get("agent")
    if name is not None and not isinstance(name, str):
        raise Refusal(400, "requestData.agent must be the name of an agent.")
    return name


def call_options(data: Mapping[str, object]) -> dict[str, object]:
    """The fields of a client's request that are options of `CallOptions`."""
    return {name: data[name] for name in CallOptions.model_fields if name in data}


def _asked(data: Mapping[str, Any], begins: bool) -> dict[str, object]:
    """The known fields of `requestData`, by names in snake_case; other data is left out."""
    if begins and (misspelt := CallOptions.misspelt(data)) is not None:
        name, option = misspelt
        raise Refusal(400, f"{name[:40]!r} is not an option. Nearest: {option}.")
    if begins and (like := _like_record(data)) is not None:
        raise Refusal(400, f"{like[:40]!r} is not an option. Nearest: record, record_consent.")
    read = ("agent", "user", "resume", "record", "record_consent", *CallOptions.model_fields)
    found = {name: data.get(name, data.get(to_camel(name))) for name in read}
    return {name: value for name, value in found.items() if value is not None}


def _like_record(data: Mapping[str, Any]) -> str | None:
    """A name that resembles `record` or `record_consent` and would be ignored; mostly None."""
    known = {"record", "record_consent", to_camel("record_consent")}
    for name in data:
        says = isinstance(data[name], bool) or data[name] in ("true", "false")
        if says and name not in known and name.lower().startswith("record"):
            return name
    return None


def _new_call(data: Mapping[str, Any]) -> NewCall:
    return NewCall(
        agent=agent_name(data),
        user=data.get("user"),
        options=call_options(data),
        record=_flag(data, "record"),
        record_consent=_flag(data, "record_consent") or False,
    )


def _flag(data: Mapping[str, Any], name: str) -> bool | None:
    """A boolean field, which is written as a word in a URL; None if it is absent."""
    value = data.get(name)
    if isinstance(value, str):
        value = {"true": True, "1": True, "false": False, "0": False}.get(value.lower(), value)
    if value is None or isinstance(value, bool):
        return value
    raise Refusal(400, f"requestData.{name} must be true or false.")


def _resume_token(data: Mapping[str, Any]) -> str | None:
    token = data.get("resume")
    if token is None or (isinstance(token, str) and 0 < len(token) <= MAX_TOKEN_CHARS):
        return token
    raise Refusal(400, "requestData.resume must be the token that an earlier answer gave.")
