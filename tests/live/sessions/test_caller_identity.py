"""The ids of callers; nobody can become another user by guessing one."""

import hashlib
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vision_agent.live.sessions.caller_identity import PASSING, BadName, CallerIdentity

ANN = CallerIdentity("ann", proven=True)


@pytest.mark.parametrize(
    "name",
    [
        "ann",
        "ann@example.com",
        "a" * 32,
        "0" * 31 + "1",
        "Jürgen",
        "x" * 40,
        "a b",
        "12345678-1234",
        "٣",
    ],
)
def test_a_name_that_can_be_guessed_counts_only_if_somebody_vouches_for_it(name):
    claimed = CallerIdentity.claimed(name)
    assert claimed.user_id == ""
    assert "can be guessed" in claimed.problem
    assert CallerIdentity.proven_as(name) == CallerIdentity(name, proven=True)


@given(st.binary(min_size=16, max_size=16))
def test_a_random_id_is_taken_and_the_user_id_does_not_show_it(seed):
    name = hashlib.sha256(seed).hexdigest()[:32]
    for written in (name, str(uuid.UUID(name))):
        claimed = CallerIdentity.claimed(written)
        assert claimed.user_id
        assert name not in claimed.user_id
        assert not claimed.proven


@pytest.mark.parametrize(
    "name", [5, ["a"], {"a": 1}, "a" * 101, "x\n", "\x00" * 40, True, PASSING + "1"]
)
def test_what_is_no_name_is_refused(name):
    for read in (CallerIdentity.claimed, CallerIdentity.proven_as):
        with pytest.raises(BadName, match="at most 100 printable characters"):
            read(name)


@pytest.mark.parametrize("nobody", [None, ""])
def test_who_says_nothing_is_unknown(nobody):
    assert CallerIdentity.claimed(nobody) == CallerIdentity()
    assert CallerIdentity.proven_as(nobody) == CallerIdentity.unknown() == CallerIdentity("", True)
    assert "does not take requestData.user" in CallerIdentity.unknown("ann").problem


@pytest.mark.parametrize(
    ("caller", "owner", "may"),
    [
        (ANN, "ann", True),
        (ANN, "bob", False),
        (ANN, PASSING + "1", False),
        (CallerIdentity.unknown(), PASSING + "1", True),
        (CallerIdentity.unknown(), "ann", False),
        (CallerIdentity(), "0" * 32, True),
        (CallerIdentity(), PASSING + "1", True),
    ],
)
def test_where_the_server_knows_who_calls_a_leaked_token_opens_no_others_conversation(
    caller, owner, may
):
    assert caller.may_continue(owner) is may
