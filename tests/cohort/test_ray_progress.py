"""What is told while Ray's workers work: whatever ends that, the workers stop and the run says why."""

import threading

import pytest

from xaimri.cohort.progress import Progress
from xaimri.cohort.ray_progress import watched
from xaimri.errors import Cancelled


class Noted:
    """What is noted of a run whose workers have done so many cases, and were stopped."""

    def __init__(self, fresh=0):
        self.fresh, self.stopped = fresh, threading.Event()
        self.state = self.stop = self

    def remote(self, *reason):
        if reason:
            assert isinstance(reason[0], Cancelled)
            self.stopped.set()
        return self.fresh, 0, None

    def get(self, told):
        return told


@pytest.mark.parametrize("fault", [KeyboardInterrupt, Cancelled("no more."), OSError("the disk is full")])
def test_what_ends_the_telling_stops_the_workers_and_is_raised(monkeypatch, fault):
    """Ctrl-C as well: a run asks between its parts whether it came, and that is in the telling."""
    unseen = []
    monkeypatch.setattr(threading, "excepthook", unseen.append)

    def tell(_):
        raise fault

    noted = Noted(fresh=3)
    kind = fault if isinstance(fault, type) else type(fault)
    begun = Progress(0, 9, 0, 0.0, 0)
    with pytest.raises(kind), watched(noted, noted, lambda: None, tell, begun):
        assert noted.stopped.wait(60)
    assert unseen == []


def test_what_is_new_is_told_once_and_the_end_always():
    noted, told = Noted(fresh=3), []
    first = threading.Event()

    def tell(progress):
        told.append((progress.done, progress.total, progress.fresh))
        first.set()

    with watched(noted, noted, lambda: None, tell, Progress(5, 9, 0, 0.0, 0)):
        assert first.wait(60)
        noted.fresh = 4
    assert told[0] == (8, 9, 3)
    assert told[-1] == (9, 9, 4)
    assert len(told) == 2
