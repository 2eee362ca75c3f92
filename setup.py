"""Builds the package; everything about it is in pyproject.toml, its dependencies in requirements.txt."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent
WEIGHTS = ("livos-lite", "livos-click")
BUNDLED = (*(f"weights/{name}{suffix}" for name in WEIGHTS for suffix in (".safetensors", ".md")), "examples/demo")
"""What a wheel brings along besides code; livos/files/bundled.py finds it in a checkout and in the package."""


class BuildWithBundled(build_py):
    """Copies the light weights and the demo clip into the package."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return  # a checkout has them where they are
        for name in BUNDLED:
            source, target = HERE / name, Path(self.build_lib) / "livos" / "_bundled" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
            else:
                shutil.copyfile(source, target)


setup(cmdclass={"build_py": BuildWithBundled})
