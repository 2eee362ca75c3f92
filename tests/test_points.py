import torch

from livos.training.points import uncertain_points, uncertainty, values_at


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_values_at_the_middle_of_cells_are_those_of_the_cells():
    maps = torch.rand(2, 3, 4, 6, generator=generator())
    rows, columns = torch.meshgrid(torch.arange(4), torch.arange(6), indexing="ij")
    points = torch.stack([(columns + 0.5) / 6, (rows + 0.5) / 4], dim=-1).flatten(0, 1)
    values = values_at(maps, points.expand(2, -1, -1))
    torch.testing.assert_close(values, maps.flatten(2))


def test_uncertainty_is_minus_the_gap_between_the_two_largest_logits():
    logits = torch.tensor([[[5.0, 1.0], [2.0, 1.5], [-1.0, 0.0]]])  # (1, 3, 2)
    torch.testing.assert_close(uncertainty(logits), torch.tensor([[-3.0, -0.5]]))


def test_three_quarters_of_the_points_are_where_the_prediction_is_uncertain():
    logits = torch.full((2, 2, 16, 16), 4.0)
    logits[:, 1] = -4.0
    logits[:, :, :, 5:11] = 0.0  # undecided in a band of more than a third of the map
    points = uncertain_points(logits, 200, generator())
    assert points.shape == (2, 200, 2)
    assert points.min() >= 0 and points.max() <= 1
    gaps = -uncertainty(values_at(logits, points))
    assert (gaps[:, :150] < 1e-6).all()
    assert (gaps[:, 150:] > 1e-6).any()


def test_the_same_generator_gives_the_same_points():
    logits = torch.rand(1, 3, 8, 8, generator=generator(1))
    assert torch.equal(uncertain_points(logits, 20, generator(2)), uncertain_points(logits, 20, generator(2)))
    assert not torch.equal(uncertain_points(logits, 20, generator(2)), uncertain_points(logits, 20, generator(3)))
