"""The version of the tool, recorded in every result."""

VERSION = "1.0.0"
