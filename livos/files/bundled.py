"""What comes with LiVOS besides its code: the light weights and the demo clip."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def bundled_dir() -> Path:
    """The folder with `weights/` and `examples/`: inside an installed package, or the root of a checkout."""
    inside = _PACKAGE / "_bundled"  # setup.py copies it there
    return inside if inside.is_dir() else _PACKAGE.parent
