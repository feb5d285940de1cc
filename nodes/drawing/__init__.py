"""Regions as they are drawn: shapes in shares of the picture, read from text and made into masks."""
