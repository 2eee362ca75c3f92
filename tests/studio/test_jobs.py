"""Jobs: their progress, their end, and what the user is told of it."""

import threading

import pytest

from livos.studio import jobs
from livos.studio.jobs import Job, JobRunner, Progress


@pytest.fixture
def notes():
    return []


@pytest.fixture
def runner(notes):
    made = JobRunner(lambda: None, lambda level, sentence: notes.append((level, sentence)))
    yield made
    made.close()


def test_progress_says_how_fast_it_goes_and_how_long_it_takes(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(jobs.time, "monotonic", lambda: now[0])
    told = []
    job = Job(Progress(1, "track", "Tracking", 5, 14), lambda: told.append(1))
    now[0] = 130.0  # what came before the first frame does not count
    job.expect(10)
    for frame, seconds in ((5, 132.0), (6, 134.0), (7, 136.0), (8, 138.0)):
        now[0] = seconds
        job.advance(frame)
    assert (job.progress.frame, job.progress.done, job.progress.total) == (8, 4, 10)
    assert job.progress.rate == pytest.approx(0.5) and job.progress.left_s == pytest.approx(12)
    assert len(told) == 5


def test_more_frames_than_expected_leave_no_negative_time():
    job = Job(Progress(1, "track", "Tracking", 0, 0), lambda: None)
    job.expect(1)
    job.advance(0), job.advance(1)
    assert job.progress.left_s == 0


def test_one_job_runs_at_a_time_and_the_next_has_another_number(runner, notes):
    go_on = threading.Event()
    first = runner.start("track", "Tracking", (0, 9), lambda job: str(go_on.wait(60)))
    with pytest.raises(BlockingIOError, match="Tracking is under way: stop it first"):
        runner.start("export", "Exporting", (0, 9), lambda job: "")
    go_on.set()
    runner.close()
    assert runner.progress is None and notes == [("info", "True")]
    assert runner.start("export", "Exporting", (0, 9), lambda job: "Done.") == first + 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError("the disk is full"), "Tracking failed: the disk is full"),
        (ValueError("no mask"), "Tracking failed: no mask"),
        (MemoryError("1 GiB"), "Tracking failed, out of memory: 1 GiB"),
        (KeyError("x"), "Tracking failed because of a bug in LiVOS: 'x'"),
    ],
)
def test_error_of_a_job_becomes_a_sentence(runner, notes, error, said):
    def fail(job):
        raise error

    runner.start("track", "Tracking", (0, 9), fail)
    runner.close()
    assert notes == [("error", said)] and runner.progress is None


def test_closing_stops_the_job_and_waits_for_it(runner, notes):
    def until_stopped(job):
        assert job._stop.wait(60)
        return "Stopped." if job.stopped else "Done."

    runner.start("track", "Tracking", (0, 9), until_stopped)
    runner.close()
    assert notes == [("info", "Stopped.")]
