"""Which clients must wait; the tests set the clock."""

import time

import pytest

from demo.errors import Busy
from demo.web.places import (
    BURST,
    MOST_OF_ONE,
    PER_SECOND,
    QUEUE_SIZE,
    Limits,
    LiveSessions,
    Waiting,
)


class Server:
    def __init__(self) -> None:
        self.waiting, self.now = 1, 0.0
        self.addresses: tuple[str, ...] = ()
        self.limits = Limits(
            lambda: Waiting(self.waiting, self.addresses), lambda: 0.25, lambda: self.now
        )

    def is_let_in(self, address: str) -> bool:
        try:
            self.limits.enter(address)
        except Busy:
            return False
        return True


@pytest.fixture
def server() -> Server:
    return Server()


def test_while_others_wait_an_address_is_limited_to_its_share(server: Server) -> None:
    assert sum(server.is_let_in("greedy") for _ in range(3 * BURST)) == BURST
    assert server.is_let_in("other")


def test_a_share_refills_over_time(server: Server) -> None:
    while server.is_let_in("a"):
        pass
    server.now += 4 / PER_SECOND
    assert sum(server.is_let_in("a") for _ in range(10)) == 4


def test_an_idle_server_refuses_nobody(server: Server) -> None:
    server.waiting = 0
    assert all(server.is_let_in("a school") for _ in range(10 * BURST))


def test_a_refusal_says_how_long_to_wait(server: Server) -> None:
    while server.is_let_in("a"):
        pass
    with pytest.raises(Busy, match="Try again in 2 s") as busy:
        server.limits.enter("a")
    server.now += busy.value.wait_s
    assert server.is_let_in("a")
    server.waiting = QUEUE_SIZE
    with pytest.raises(Busy, match="Try again in 16 s"):
        server.limits.enter("other")


def test_one_address_cannot_fill_the_queue_of_an_idle_server(server: Server) -> None:
    server.waiting, server.addresses = 0, ("greedy",) * MOST_OF_ONE
    assert not server.is_let_in("greedy") and server.is_let_in("other")
    server.addresses = ("greedy",) * (MOST_OF_ONE - 1)
    assert server.is_let_in("greedy")


def test_old_addresses_are_forgotten(server: Server) -> None:
    for number in range(1000):
        server.limits.enter(str(number))
        server.now += 1
    assert len(server.limits._shares) <= BURST / PER_SECOND + 2


def test_live_places_are_limited_and_free_again_after_a_session() -> None:
    sessions = LiveSessions(limit=2, longest_s=60)
    with sessions.enter("a") as first, sessions.enter("b"):
        assert first == pytest.approx(time.monotonic() + 60, abs=1)
        with pytest.raises(Busy, match=r"All 2 live places are taken. Try again in \d+ s") as busy:
            sessions.enter("c").__enter__()
        assert 58 <= busy.value.wait_s <= 60
    with sessions.enter("a"), sessions.enter("b"):
        pass


def test_the_last_place_is_reserved_for_another_address() -> None:
    sessions = LiveSessions(limit=3, longest_s=60)
    with sessions.enter("a"), sessions.enter("a"):
        with pytest.raises(Busy, match=r"for your network are taken. Try again in"):
            sessions.enter("a").__enter__()
        with sessions.enter("b"):
            pass
