"""The rules of the memory that are compared do what they say."""

import numpy as np
import pytest
import torch
from script_modules import load_script

from livos.model.memory import LinearMemory

memory_rules = load_script("benchmarks/memory_rules.py")


def after(memory: LinearMemory, num_frames: int, gate: float = 0.9, cap: int | None = None) -> LinearMemory:
    """The memory of one object after frames of random keys and values."""
    generator = torch.Generator().manual_seed(0)
    for _ in range(num_frames):
        key = torch.rand(1, 4, 2, 2, generator=generator).softmax(dim=1)
        value = torch.rand(1, 1, 3, 2, 2, generator=generator)
        memory = memory.write(key, value, torch.full((1, 3), gate), cap)
    return memory


def begun(rule: str | None = None) -> LinearMemory:
    memory = LinearMemory.empty(torch.zeros(1, 4, 2, 2), 3).with_new_objects(1)
    return memory if rule is None else memory_rules.RuledMemory(**vars(memory), rule=rule)


KEY = torch.full((1, 4, 2, 2), 0.25)


@pytest.mark.parametrize("rule", ["today", "sure"])
def test_todays_rule_is_the_memorys_own(rule):
    torch.testing.assert_close(after(begun(rule), 40).read(KEY), after(begun(), 40).read(KEY))


def test_a_counted_normaliser_is_todays_at_first_and_stops_the_fading_later():
    for num_frames in (5, memory_rules.CAP):
        torch.testing.assert_close(after(begun("counted"), num_frames).read(KEY), after(begun(), num_frames).read(KEY))
    today, counted = (after(begun(rule), 4 * memory_rules.CAP).read(KEY) for rule in ("today", "counted"))
    growth_of_state = (1 - 0.9**128) / (1 - 0.9**32)
    np.testing.assert_allclose(counted / today, 4 / growth_of_state, rtol=1e-3)


def test_with_gates_that_do_not_change_capped_is_counted():
    capped = after(begun("capped"), 100, cap=memory_rules.CAP)
    torch.testing.assert_close(capped.read(KEY), after(begun("counted"), 100).read(KEY))


def test_only_slow_channels_are_capped_by_the_rule_for_them():
    fast, slow = (after(begun("slow"), 100, gate).read(KEY) for gate in (0.9, 0.999))
    torch.testing.assert_close(fast, after(begun(), 100, 0.9).read(KEY))
    assert (slow > 1.01 * after(begun(), 100, 0.999).read(KEY)).all()


def test_what_was_given_is_mixed_in_by_its_share():
    kept = after(begun("kept"), 20)
    expected = (1 - memory_rules.SHARE) * after(begun(), 20).read(KEY) + memory_rules.SHARE * after(begun(), 1).read(
        KEY
    )
    torch.testing.assert_close(kept.read(KEY), expected)


def test_videos_are_played_there_and_back_and_are_away_now_and_then():
    assert list(memory_rules.play(3, 7)) == [0, 1, 2, 1, 0, 1, 2]
    assert [t for t in range(20) if memory_rules.is_away(t, 10, 2)] == [5, 6, 15, 16]
    assert not any(memory_rules.is_away(t, 10, 0) for t in range(20))
