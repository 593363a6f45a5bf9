"""Fits on one thread, and as many as before afterwards."""

from threadpoolctl import threadpool_info

from sightline.diagnosis.tuning.threads import one_thread


def threads():
    import sklearn.ensemble  # noqa: F401  (OpenMP is loaded with it)

    return [pool["num_threads"] for pool in threadpool_info()]


def test_one_thread_inside_and_as_many_as_before_afterwards():
    before = threads()
    assert before
    with one_thread():
        assert set(threads()) == {1}
    assert threads() == before
