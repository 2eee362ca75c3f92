"""The gated linear memory compared with its definition, computed frame by frame without running sums."""

import pytest
import torch

from livos.model.memory import LinearMemory, mean_with

B, N, K, V, H, W = 2, 3, 4, 5, 2, 3


def random_frames(count: int) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    generator = torch.Generator().manual_seed(0)
    keys = [torch.randn(B, K, H, W, generator=generator).softmax(dim=1) for _ in range(count)]
    values = [torch.randn(B, N, V, H, W, generator=generator) for _ in range(count)]
    gates = [torch.rand(B, V, generator=generator) for _ in range(count)]
    return list(zip(keys, values, gates, strict=True))


def naive_readout(past: list, key: torch.Tensor) -> torch.Tensor:
    """Every past cell is weighted by its key's product with the query and by all gates since."""
    total = torch.zeros(B, N, V, H, W)
    for s, (past_key, value, _) in enumerate(past):
        weights = torch.einsum("bkxy,bkhw->bxyhw", past_key, key)
        seen = torch.einsum("bxyhw,bnvxy->bnvhw", weights, value)
        for _, _, gate in past[s + 1 :]:
            seen = seen * gate[:, None, :, None, None]
        total += seen
    return total / sum((past_key * key).sum(dim=(1, 2, 3)) for past_key, _, _ in past)[:, None, None, None, None]


def remembering(frames: list, memory: LinearMemory | None = None, cap: int | None = None) -> LinearMemory:
    memory = memory or LinearMemory.empty(frames[0][0], V).with_new_objects(N)
    for key, value, gate in frames:
        memory = memory.write(key, value, gate, cap)
    return memory


def test_readout_is_gated_linear_attention_over_all_past_cells():
    *past, (key, _, _) = random_frames(5)
    torch.testing.assert_close(remembering(past).read(key), naive_readout(past, key), rtol=1e-4, atol=1e-5)


def test_closed_gate_forgets_the_past():
    frames = random_frames(4)
    key, value, _ = frames[2]
    closed = [*frames[:2], (key, value, torch.zeros(B, V))]
    torch.testing.assert_close(remembering(closed).state, remembering([frames[2]]).state)


def test_open_gate_keeps_the_sum_of_all_frames():
    frames = [(key, value, torch.ones(B, V)) for key, value, _ in random_frames(3)]
    expected = sum(torch.einsum("bkhw,bnvhw->bnkv", key, value) for key, value, _ in frames)
    torch.testing.assert_close(remembering(frames).state, expected)


def test_late_object_remembers_as_if_the_clip_began_with_it():
    frames = random_frames(5)
    early = remembering([(key, value[:, :2], gate) for key, value, gate in frames[:2]], memory=no_past(2, frames))
    both = remembering(frames[2:4], early.with_new_objects(1))
    alone = remembering([(key, value[:, 2:], gate) for key, value, gate in frames[2:4]], memory=no_past(1, frames))
    key = frames[4][0]
    torch.testing.assert_close(both.read(key)[:, 2:], alone.read(key))


def no_past(count: int, frames: list) -> LinearMemory:
    return LinearMemory.empty(frames[0][0], V).with_new_objects(count)


def test_selecting_objects_keeps_what_each_remembers():
    frames = random_frames(4)
    memory = remembering([(key, value[:, :2], gate) for key, value, gate in frames[:1]], no_past(2, frames))
    memory = remembering(frames[1:3], memory.with_new_objects(1))
    key = frames[3][0]
    torch.testing.assert_close(memory.select([2, 0]).read(key), memory.read(key)[:, [2, 0]])


def test_keys_are_summed_since_an_object_appeared():
    frames = random_frames(4)
    memory = remembering([(key, value[:, :2], gate) for key, value, gate in frames[:1]], no_past(2, frames))
    memory = remembering(frames[1:], memory.with_new_objects(1))
    torch.testing.assert_close(memory.key_sums[:, 0], sum(key for key, _, _ in frames))
    torch.testing.assert_close(memory.key_sums[:, 2], sum(key for key, _, _ in frames[1:]))


@pytest.mark.parametrize("num_frames", [1, 3])
def test_up_to_its_cap_a_normaliser_counts_every_frame(num_frames):
    *past, (key, _, _) = random_frames(num_frames + 1)
    assert torch.equal(remembering(past, cap=3).read(key), remembering(past).read(key))


@pytest.mark.parametrize("gate", [0.0, 0.9, 0.999, 1.0])
def test_later_a_capped_normaliser_grows_as_the_state_of_a_channel_does(gate):
    cap, num_frames = 3, 12
    *past, (key, _, _) = [(key, value, torch.full((B, V), gate)) for key, value, _ in random_frames(num_frames + 1)]
    capped, counted = remembering(past, cap=cap), remembering(past)
    growth = sum(gate**i for i in range(num_frames)) / sum(gate**i for i in range(cap))
    torch.testing.assert_close(capped.spans, torch.full((B, N, V), cap * growth))
    torch.testing.assert_close(capped.read(key), counted.read(key) * num_frames / (cap * growth))


def test_the_cap_of_a_late_object_begins_with_it():
    frames = random_frames(6)
    early = remembering([(key, value[:, :1], gate) for key, value, gate in frames[:4]], no_past(1, frames), cap=2)
    both = remembering([(key, value[:, :2], gate) for key, value, gate in frames[4:]], early.with_new_objects(1), cap=2)
    assert (both.spans[:, 1] == 2).all() and (both.spans[:, 0] < 6).all()


def test_means_do_not_drift_over_a_million_frames():
    mean, count = torch.full((1, 1, 3), 0.1), torch.full((1, 1), 1e6)
    for _ in range(1000):
        count = count + 1
        mean = mean_with(mean, torch.full((1, 1, 3), 0.1), count)
    assert torch.equal(mean, torch.full((1, 1, 3), 0.1))


def test_size_does_not_grow_with_time():
    frames = random_frames(6)
    one, many = remembering(frames[:1]), remembering(frames)
    assert one.state.shape == many.state.shape and one.mean_keys.shape == many.mean_keys.shape


def test_nothing_remembered_reads_as_nothing():
    key = random_frames(1)[0][0]
    assert (no_past(N, [(key,)]).read(key) == 0).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_memory_stays_float32_whatever_comes_in(dtype):
    key, value, gate = (x.to(dtype) for x in random_frames(1)[0])
    memory = LinearMemory.empty(key, V).with_new_objects(N).write(key, value, gate)
    assert (
        memory.state.dtype
        == memory.mean_keys.dtype
        == memory.num_frames.dtype
        == memory.spans.dtype
        == memory.read(key).dtype
        == torch.float32
    )


def test_products_are_float32_within_half_precision():
    *past, (key, _, _) = random_frames(3)
    with torch.autocast("cpu", torch.bfloat16):
        readout = remembering(past).read(key)
    torch.testing.assert_close(readout, remembering(past).read(key), rtol=0, atol=0)
