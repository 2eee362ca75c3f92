"""The programs that `livos NAME` starts, one module each."""
