"""Doors: where a call comes in. One file or folder each; they know ports and values, never the session's inside."""
