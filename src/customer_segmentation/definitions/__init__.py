"""Segment definitions as files: what they may say, their schema for editors, and how new ones are written."""
