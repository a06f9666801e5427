"""Texts of a drop in files that people open with a spreadsheet."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: with "'" in front where it begins like one (OWASP)."""
    return f"'{text}" if text.startswith(_FORMULA) else text
