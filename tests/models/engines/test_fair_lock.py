"""The order in which threads get the lock."""

import threading
import time

import pytest

from demo.models.engines.fair_lock import FairLock


def test_threads_get_the_lock_one_at_a_time_in_order_of_arrival() -> None:
    lock, served, inside = FairLock(), list[int](), threading.Semaphore(1)

    def work(number: int) -> None:
        for _ in range(3):
            with lock:
                assert inside.acquire(blocking=False)
                served.append(number)
                time.sleep(0.002)
                inside.release()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    with lock:
        for thread in threads:
            thread.start()
            time.sleep(0.05)
    for thread in threads:
        thread.join()
    assert served == [0, 1, 2, 3, 4] * 3


def test_an_error_inside_releases_the_lock() -> None:
    lock = FairLock()
    with pytest.raises(ValueError, match="inside"), lock:
        raise ValueError("inside")
    with lock:
        pass
