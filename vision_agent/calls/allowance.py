"""The daily allowance of a user and of an address: minutes in calls, and estimated money.

Days are days of UTC. The use is kept in memory here, and in the sessions' database by
`shared_days.py`. Time, or the clock, is an argument.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vision_agent.calls.verdicts import EndsNow, EndsSoon, Verdict

DAY_S = 86_400.0
MAX_KEYS = 10_000
"""Users, and addresses, that are counted; the least recent ones are dropped."""


@dataclass(frozen=True, slots=True)
class DailyLimits:
    """The limits of a day; 0 for no limit.

    Attributes:
        minutes: Minutes in all calls together.
        cost: Estimated money, in the currency of the table of prices.
    """

    minutes: float = 0
    cost: float = 0


class DailyUse:
    """The use of all users, or of all addresses, on the present day.

    Args:
        limits: The limits of each.
        whose: The possessive in sentences: `your`, `your address's`.
    """

    def __init__(self, limits: DailyLimits, whose: str) -> None:
        self._limits = limits
        self._whose = whose
        self._day = 0
        self._used: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._keeps_news = False
        self.news: OrderedDict[tuple[int, str], tuple[float, float]] = OrderedDict()

    @property
    def limited(self) -> bool:
        """Whether there is any limit; without one nothing is counted."""
        return self._limits != DailyLimits()

    def keep_news(self) -> None:
        """Also keep new use in `news`, by day and key, for `SharedDays` to take out."""
        self._keeps_news = True

    def spend(self, key: str, now_s: float, *, seconds: float = 0, cost: float = 0) -> None:
        """Count use.

        Args:
            key: The user or address; empty for an unknown one, for which nothing is counted.
            now_s: Seconds since 1970.
            seconds: Time in a call.
            cost: Money.
        """
        if not key or not self.limited:
            return
        used_s, used_cost = self._of(key, now_s)
        self._set(key, used_s + seconds, used_cost + cost)
        if self._keeps_news and (seconds or cost):
            self.put_back(self._day, key, seconds, cost)

    def put_back(self, day: int, key: str, seconds: float, cost: float) -> None:
        """Add use to the news that is not, or could not be, written."""
        news_s, news_cost = self.news.get((day, key), (0.0, 0.0))
        self.news[day, key] = news_s + seconds, news_cost + cost
        if len(self.news) > MAX_KEYS:
            self.news.popitem(last=False)

    def learn(self, day: int, key: str, seconds: float, cost: float) -> None:
        """Take a key's use of a day on all servers, without the news."""
        if day < self._day:
            return
        self._begin(day)
        news_s, news_cost = self.news.get((day, key), (0.0, 0.0))
        self._set(key, seconds + news_s, cost + news_cost)

    def left_s(self, key: str, now_s: float) -> float:
        """The seconds in calls that a key has left today; infinite without a limit."""
        if not key or not self._limits.minutes:
            return math.inf
        return self._limits.minutes * 60 - self._of(key, now_s)[0]

    def used_up(self, key: str, now_s: float) -> str | None:
        """The limit that a key has used up, as part of a sentence; None if there is none."""
        if self.left_s(key, now_s) <= 0:
            return f"{self._whose} {self._limits.minutes:g} minutes of today are used up"
        if key and self._limits.cost and self._of(key, now_s)[1] >= self._limits.cost:
            return f"what {self._whose} calls may cost in a day is used up"
        return None

    def _of(self, key: str, now_s: float) -> tuple[float, float]:
        self._begin(int(now_s // DAY_S))
        return self._used.get(key, (0.0, 0.0))

    def _begin(self, day: int) -> None:
        if day != self._day:
            self._day = day
            self._used.clear()

    def _set(self, key: str, seconds: float, cost: float) -> None:
        self._used[key] = seconds, cost
        self._used.move_to_end(key)
        if len(self._used) > MAX_KEYS:
            self._used.popitem(last=False)


class Allowance:
    """The allowance of one call: the rest of its user's day, and of its address's.

    Args:
        of: The limits, each with the caller's key.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        of: Sequence[tuple[DailyUse, str]] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._of = of
        self._clock = clock
        self._counted_to_s: float | None = None
        self._warned = False

    @property
    def problem(self) -> str | None:
        """The limit that is used up, as part of a sentence; None if the call may go on."""
        now_s = self._clock()
        return next((text for use, key in self._of if (text := use.used_up(key, now_s))), None)

    @property
    def renewed_in_s(self) -> float:
        """The seconds until the next day."""
        return DAY_S - self._clock() % DAY_S

    def charge(self, cost: float) -> None:
        """Count money that a turn has cost."""
        for use, key in self._of:
            use.spend(key, self._clock(), cost=cost)

    def check(self, now_s: float, warn_s: float) -> list[Verdict]:
        """Count the time since the last check; returns the verdicts that have become due.

        Args:
            now_s: Monotonic seconds.
            warn_s: How long before its end the call is warned.
        """
        seconds = now_s - (now_s if self._counted_to_s is None else self._counted_to_s)
        self._counted_to_s = now_s
        wall_s = self._clock()
        for use, key in self._of:
            use.spend(key, wall_s, seconds=seconds)
        if (text := self.problem) is not None:
            return [EndsNow(text, f"{text[0].upper()}{text[1:]}.")]
        left_s = min((use.left_s(key, wall_s) for use, key in self._of), default=math.inf)
        if left_s > warn_s or self._warned:
            return []
        self._warned = True
        text = "The minutes of today are nearly used up. You can call again tomorrow (UTC)."
        return [EndsSoon("allowance", left_s, text)]
