"""J and F of video object segmentation: fast, exact, and explicit about everything unusual in its input.

>>> from vos_benchmark import score
>>> score("DAVIS/Annotations/480p", "results/Annotations").J_and_F  # doctest: +SKIP
0.851
"""

from .errors import ScoringError, UnreadableMaskError
from .groups import Groups, read_groups
from .metrics import FrameScore, boundary_accuracy, region_similarity, score_frame
from .results import ObjectResult, Result, VideoResult
from .scorer import Scorer
from .scoring import score
from .version import VERSION as __version__

__all__ = [
    "FrameScore",
    "Groups",
    "ObjectResult",
    "Result",
    "Scorer",
    "ScoringError",
    "UnreadableMaskError",
    "VideoResult",
    "__version__",
    "boundary_accuracy",
    "read_groups",
    "region_similarity",
    "score",
    "score_frame",
]
