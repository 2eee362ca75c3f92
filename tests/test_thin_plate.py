import numpy as np

from livos.training.data.thin_plate import control_points, displacement_field


def test_control_points_look_where_they_are_told():
    generator = np.random.default_rng(0)
    points = control_points(12, generator)
    shifts = generator.normal(0, 0.02, (12, 2))
    field = displacement_field(points, shifts, size=240)
    pixels = np.floor(points * 240).astype(int)
    found = field[pixels[:, 1], pixels[:, 0]]
    np.testing.assert_allclose(found, shifts * 240, atol=0.5)


def test_shifting_all_points_shifts_the_image():
    points = control_points(12, np.random.default_rng(1))
    field = displacement_field(points, np.tile([0.1, -0.05], (12, 1)), size=40)
    np.testing.assert_allclose(field, np.broadcast_to([4.0, -2.0], (40, 40, 2)), atol=1e-3)


def test_control_points_keep_their_distance():
    for seed in range(20):
        points = control_points(12, np.random.default_rng(seed))
        assert points.min() > 0 and points.max() < 1
        distances = np.linalg.norm(points[:, None] - points[None], axis=-1) + np.eye(12)
        assert distances.min() > 0.1
