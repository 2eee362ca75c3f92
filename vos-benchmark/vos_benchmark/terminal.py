"""Text for people: names from files cannot steer the terminal, forge lines, or fail to be encoded."""

from typing import TextIO


def printable(text: str) -> str:
    """The text with everything unprintable (control codes, line ends, broken encodings) written as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def say(text: str, file: TextIO) -> None:
    """Prints lines of text, made printable, in the encoding of the file."""
    encoding = getattr(file, "encoding", None) or "utf-8"
    lines = "\n".join(printable(line) for line in text.split("\n"))
    print(lines.encode(encoding, "backslashreplace").decode(encoding), file=file, flush=True)
