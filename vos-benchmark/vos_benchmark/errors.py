"""The errors raised if masks cannot be scored."""

from collections.abc import Iterable


class ScoringError(ValueError):
    """Masks, folders or options that cannot be scored as requested; `problems` has one sentence for each."""

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class UnreadableMaskError(ScoringError):
    """A mask file that is damaged, or that does not contain object ids."""
